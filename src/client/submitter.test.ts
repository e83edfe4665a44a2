import { expect, it } from "vitest";
import type { NewTask, Submitted } from "../contracts/store.js";
import { StoreUnavailableError, TooManyPendingError } from "../errors.js";
import { Submitter } from "./submitter.js";

function newTask(id: string): NewTask {
  const nothing = { group: null, name: null, parent: null, dueAt: null, expiresMs: null, unique: null };
  return { id, queue: "q", envelope: id, func: "f", kind: "task", priority: 0, delayMs: 0, ...nothing };
}

/** A store whose writes end when the test says so. */
function heldStore() {
  let nowMs = 0;
  const writes: string[][] = [];
  const waiting: (() => void)[] = [];
  const pauses: number[] = [];
  let held = false;
  let backAt = 0;
  const write = async (tasks: readonly NewTask[]): Promise<Submitted[]> => {
    writes.push(tasks.map(({ id }) => id));
    if (held) await new Promise<void>((resolve) => waiting.push(resolve));
    const bad = tasks.find(({ id }) => id.startsWith("bad"));
    if (bad !== undefined) throw new TypeError(`cannot store ${bad.id}`);
    if (nowMs < backAt || tasks.some(({ id }) => id === "away")) throw new StoreUnavailableError("locked");
    return tasks.map(({ id }) => ({ id, created: true }));
  };
  const pause = async (ms: number): Promise<void> => {
    pauses.push(ms);
    nowMs += ms;
  };
  return {
    writes,
    pauses,
    awayUntil: (ms: number) => (backAt = ms),
    hold: () => (held = true),
    release: () => {
      held = false;
      for (const go of waiting.splice(0)) go();
    },
    submitter: (maxPending = 1_000, timeoutMs = 0) =>
      new Submitter({ write, maxPending, timeoutMs, monotonic: () => nowMs, pause }),
    pass: (ms: number) => (nowMs += ms),
  };
}

const ids = (submitted: readonly Submitted[]): string[] => submitted.map(({ id }) => id);

it("writes calls of the same turn in one round trip, each with its own answer", async () => {
  const { writes, submitter } = heldStore();
  const { submit } = bound(submitter());

  const answers = await Promise.all([
    submit([newTask("a")]),
    submit([newTask("b"), newTask("c")]),
    submit([newTask("d")]),
  ]);

  expect(writes).toEqual([["a", "b", "c", "d"]]);
  expect(answers.map(ids)).toEqual([["a"], ["b", "c"], ["d"]]);
});

it("puts what arrives during a write into the next one", async () => {
  const { writes, submitter, hold, release } = heldStore();
  const { submit } = bound(submitter());
  hold();
  const first = submit([newTask("a")]);
  await expect.poll(() => writes.length).toBe(1);

  const others = [submit([newTask("b")]), submit([newTask("c")])];
  release();
  await Promise.all([first, ...others]);

  expect(writes).toEqual([["a"], ["b", "c"]]);
});

it("settles each call after its own write", async () => {
  const { writes, submitter, hold, release } = heldStore();
  const { submit } = bound(submitter());
  hold();
  let settled = false;
  const first = submit([newTask("a")]).then(() => (settled = true));
  await expect.poll(() => writes.length).toBe(1);

  expect(settled).toBe(false);

  release();
  await first;
  expect(settled).toBe(true);
});

it("lets one bad task cost only its own call", async () => {
  const { writes, submitter } = heldStore();
  const { submit } = bound(submitter());

  const outcomes = await Promise.allSettled([
    submit([newTask("a")]),
    submit([newTask("b"), newTask("bad1")]),
    submit([newTask("c")]),
  ]);

  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(outcomes[1]).toMatchObject({ reason: { message: "cannot store bad1" } });
  expect(writes).toEqual([["a", "b", "bad1", "c"], ["a"], ["b", "bad1"], ["c"]]);
});

it("hands an outage on to every call that it hit, without trying them one by one", async () => {
  const { writes, submitter } = heldStore();
  const { submit } = bound(submitter());

  const outcomes = await Promise.allSettled([submit([newTask("a")]), submit([newTask("away")])]);

  expect(
    outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason instanceof StoreUnavailableError),
  ).toEqual([true, true]);
  expect(writes).toHaveLength(1);
});

it("tries again, with the same ids, while the store is away, and pauses longer each time", async () => {
  const { writes, pauses, submitter, awayUntil } = heldStore();
  const { submit } = bound(submitter(1_000, 10_000));
  awayUntil(8_000);

  const answers = await submit([newTask("a"), newTask("b")]);

  expect(ids(answers)).toEqual(["a", "b"]);
  expect(new Set(writes.map((written) => written.join()))).toEqual(new Set(["a,b"]));
  expect(pauses[0]).toBeLessThanOrEqual(50);
  expect(pauses[0]).toBeGreaterThanOrEqual(25);
  expect(Math.max(...pauses)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1_000);
});

it("rejects with the outage once the store has been away for the whole time-out, counted from the call", async () => {
  const { pauses, submitter, awayUntil } = heldStore();
  const { submit } = bound(submitter(1_000, 10_000));
  awayUntil(60_000);

  await expect(submit([newTask("a")])).rejects.toThrow(StoreUnavailableError);

  expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(10_000);
});

it("writes at most 1,000 rows at once, and never divides a call", async () => {
  const { writes, submitter } = heldStore();
  const { submit } = bound(submitter());

  await Promise.all([submit(rows("a", 600)), submit(rows("c", 600)), submit(rows("d", 300)), submit(rows("e", 2_000))]);

  expect(writes.map(({ length }) => length)).toEqual([600, 900, 2_000]);
});

it("lets in a crowd that a healthy store takes in a moment", async () => {
  const { submitter } = heldStore();
  const { submit } = bound(submitter(2));

  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => submit([newTask(`n${n}`)])));

  expect(answers).toHaveLength(50);
});

it("rejects at once what comes when too many calls wait for a store that does not answer, and goes on later", async () => {
  const { writes, submitter, hold, release, pass } = heldStore();
  const { submit } = bound(submitter(2));
  hold();
  const waiting = [submit([newTask("a")]), submit([newTask("b")])];

  await expect.poll(() => writes.length).toBe(1);
  pass(1_000);
  const third = submit([newTask("c")]);

  await expect(third).rejects.toThrow(TooManyPendingError);
  await expect(third).rejects.toThrow(/2 calls wait .*`maxPending`.*asyncTasks\(\)/);
  await expect.poll(() => writes.length).toBe(1);
  release();
  await Promise.all(waiting);
  await expect(submit([newTask("d")])).resolves.toHaveLength(1);
});

const rows = (name: string, count: number) => Array.from({ length: count }, (_, i) => newTask(`${name}${i}`));

function bound(submitter: Submitter) {
  return { submit: (tasks: readonly NewTask[]) => submitter.submit(tasks) };
}
