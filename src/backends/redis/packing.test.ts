import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NewTask, Settlement } from "../../contracts/store.js";
import { packEnding } from "./ending.js";
import { bareTask } from "../../core/bare-task.js";
import { packMessage, readBody, readChanges } from "./packing.js";
import { finishedTask, unfinishedTask } from "./stored-task.js";

const id = "01".repeat(16);
const member = `0000000000016400000001${id}`;
const outgoing = { id, envelope: "e", priority: 0, delayMs: 0 };
const text = fc.string({ unit: "grapheme" });
const orNull = fc.option(text);

const tasks: fc.Arbitrary<NewTask> = fc.record({
  id: fc.constant(id),
  queue: text,
  envelope: text,
  func: text,
  name: orNull,
  group: orNull,
  kind: fc.constantFrom("task", "hook"),
  parent: orNull,
  priority: fc.integer({ min: -100, max: 100 }),
  delayMs: fc.nat(),
  dueAt: fc.option(fc.nat()),
  expiresMs: fc.option(fc.nat()),
  unique: fc.option(
    fc.record({ key: text, until: fc.constantFrom("finished", "started"), forMs: fc.option(fc.nat()) }),
  ),
});

/** What the scripts make of a message: they put their own numbers before it. */
function bodyOf(task: NewTask): string {
  return `${member};1000;2000;3000;${packMessage(task).at(-1)}`;
}

describe("a message", () => {
  it("reads back as it was packed, whatever its texts hold", () => {
    fc.assert(
      fc.property(tasks, (task) => {
        const { head, envelope, ...place } = readBody(bodyOf(task));

        expect(place).toEqual({ member, queuedAt: 1_000, dueAt: 2_000, expiresAt: 3_000 });
        expect(envelope).toBe(task.envelope);
        const { queue, func, name, group, kind, parent, priority, unique } = task;
        const key = unique === null ? [null, null, null] : [unique.key, unique.until, unique.forMs];
        expect(head).toEqual([queue, func, name, group, kind, parent, priority, ...key]);
      }),
    );
  });

  it("ends its head with the flow, place and run of a member, which the scripts look for there", () => {
    const headOf = (place: number | null): unknown =>
      readBody(bodyOf({ ...bareTask("q", outgoing), member: { flow: id, place, run: 2 } })).head.at(-1);

    expect([headOf(7), headOf(null)]).toEqual([`${id}.7.2`, `${id}..2`]);
  });

  it("says by flags what the scripts have to look after", () => {
    const flagsOf = (task: Partial<NewTask>): unknown => packMessage({ ...bareTask("q", outgoing), ...task })[2];

    expect(flagsOf({})).toBe(0);
    expect(flagsOf({ kind: "hook" })).toBe(1);
    expect(flagsOf({ unique: { key: "k", until: "finished", forMs: null } })).toBe(2);
    expect(flagsOf({ unique: { key: "k", until: "started", forMs: null }, group: "g", name: "n" })).toBe(28);
    expect(flagsOf({ kind: "chain", parent: "s" })).toBe(160);
    expect(flagsOf({ kind: "hook", parent: "t" })).toBe(1);
    expect(flagsOf({ member: { flow: id, place: 3, run: 0 } })).toBe(64);
  });

  it("has changes only once something has changed", () => {
    expect(readChanges("")).toMatchObject({ deliveries: 0, attempts: 0, starts: 0, dueAt: null, worker: null });
    expect(readChanges("2;1;3;40;50;60;web-1;2")).toEqual({
      deliveries: 2,
      attempts: 1,
      starts: 3,
      dueAt: 40,
      startedAt: 50,
      stoppedAt: 60,
      worker: "web-1;2",
    });
  });
});

describe("a finished task", () => {
  /** As `endings.lua` puts it together. */
  function valueOf(task: NewTask, settlement: Pick<Settlement, "attempt" | "outcome">, changes = ""): string {
    const { record, result } = packEnding(settlement);
    return `${record}\n7000;${Buffer.byteLength(result)};${changes}\n${result}${bodyOf(task)}`;
  }

  it("reads back with its result and its last attempt, whatever they hold", () => {
    fc.assert(
      fc.property(tasks, text, text, (task, result, worker) => {
        const attempt = {
          number: 1,
          ending: "succeeded",
          counted: true,
          startedAt: 4,
          stoppedAt: 9,
          error: null,
        } as const;
        const settlement = {
          attempt: { ...attempt, worker },
          outcome: { to: "succeeded", result, keep: true },
        } as const;

        const read = finishedTask(valueOf(task, settlement, "0;2;2;5000;1;2;web"));

        expect(read).toMatchObject({ id, state: "succeeded", result, error: null, attempts: 3, dueAt: 5_000 });
        expect([read.startedAt, read.stoppedAt, read.worker]).toEqual([4, 9, worker.replaceAll("\n", " ")]);
        expect([read.envelope, read.group, read.queue]).toEqual([task.envelope, task.group, task.queue]);
      }),
    );
  });

  it("that never started stopped when its end was stored", () => {
    const error = { name: "E", message: "too late\n", stack: null };
    const task = bareTask("q", { id, envelope: "e", priority: 0, delayMs: 0 });

    const read = finishedTask(valueOf(task, { attempt: null, outcome: { to: "expired", error } }));

    expect(read).toMatchObject({
      state: "expired",
      error,
      result: null,
      startedAt: null,
      stoppedAt: 7_000,
      attempts: 0,
    });
  });
});

describe("an unfinished task", () => {
  it.each([
    ["is queued", "", false, 2_500, "queued"],
    ["is scheduled before its time", "", false, 1_500, "scheduled"],
    ["is expired after its time to live", "", false, 3_000, "expired"],
    ["runs while it is held, also after it", "", true, 3_500, "running"],
    ["is retrying after a counted attempt", "0;1;1;2600;1;2;w", false, 2_500, "retrying"],
    ["is scheduled after an uncounted one with a delay", "0;0;1;2600;1;2;w", false, 2_500, "scheduled"],
  ])("%s", (_, changes, isHeld, now, state) => {
    const task = bareTask("q", { id, envelope: "e", priority: 0, delayMs: 0 });

    expect(unfinishedTask(bodyOf(task), changes, isHeld, now).state).toBe(state);
  });
});
