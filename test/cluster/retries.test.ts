import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ref } from "qluster";
import type { TaskOptions } from "qluster";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const limit = { wait: "30s" } as const;

const tasks = `
import { NoRetryError, task } from "qluster";

export function nth(label, n) { started(label); if (currentTask().attempt < n) throw new Error("not yet"); return currentTask().attempt; }
export function giveUp(label) { started(label); throw new NoRetryError("no such customer"); }
export function returnsFunction() { return { user: { greet: () => "hello" } }; }
export function returnsMuch(size) { return "x".repeat(size); }
export async function yields(label) { started(label); await sleep(600_000, undefined, { signal: currentTask().signal }).catch(() => trace("gave in " + label)); return "late"; }
export async function whenDue() { return currentTask().scheduledFor?.getTime(); }
const oneNumber = { "~standard": { version: 1, vendor: "test", validate: (args) =>
  typeof args[0] === "number" ? { value: args } : { issues: [{ message: "expected a number", path: [0] }] } } };
export const checked = task("shop.checked", (n) => n + 1, { input: oneNumber });
`;

describe("a task that fails", () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await workshop({ workers: 2, maxResult: "64KB" }, tasks);
    await shop.cluster();
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  const starts = (label: string): { pid: number; at: number }[] =>
    shop
      .trace()
      .map((line) => line.split(" "))
      .filter(([word, name]) => word === "start" && name === label)
      .map(([, , , pid, at]) => ({ pid: Number(pid), at: Number(at) }));

  it("is tried again after a growing wait, and every attempt is on record (P093, P361, P373)", async () => {
    const backoff = { base: "200ms", factor: 3, jitter: 0 } as const;
    const id = await shop.q.asyncTask(ref("jobs.fails", { attempts: 3, backoff }), "grows");
    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({ success: false, attempts: 3, error: { name: "Error", message: "boom grows" } });
    const [first, second, third] = starts("grows").map(({ at }) => at);
    expect(second! - first!).toBeGreaterThanOrEqual(200);
    expect(third! - second!).toBeGreaterThanOrEqual(600);
    expect(third! - first!).toBeLessThan(800 + 1_500);
    const attempts = await shop.q.attempts(id);
    expect(attempts).toMatchObject(
      [1, 2, 3].map((number) => ({ number, ending: "error", counted: true, error: { message: "boom grows" } })),
    );
    for (const { startedAt, stoppedAt, worker } of attempts) {
      expect(stoppedAt).toBeGreaterThanOrEqual(startedAt);
      expect(worker).toMatch(/:\d+$/);
    }
  });

  it("waits no longer than the largest wait (P093)", async () => {
    const backoff = { base: "100ms", factor: 10, max: "150ms", jitter: 0 } as const;
    const id = await shop.q.asyncTask(ref("jobs.nth", { attempts: 4, backoff }), "capped", 4);

    expect(await shop.q.result(id, limit)).toBe(4);
    const at = starts("capped").map((start) => start.at);
    expect(at.at(-1)! - (at[0] ?? 0)).toBeLessThan(100 + 150 + 150 + 1_500);
  });

  it("says that it waits for another attempt (P100)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.fails", { attempts: 2, backoff: { base: "1m" } }), "waits");
    await until(async () => (await shop.q.status(id))?.state === "retrying", "the state retrying");

    expect(await shop.q.status(id)).toMatchObject({ state: "retrying", attempts: 1 });
    expect(await shop.q.fetch(id)).toBeUndefined();
    expect(await shop.q.cancel(id)).toBe("cancelled");
    expect(await shop.q.status(id)).toMatchObject({ state: "cancelled", attempts: 1 });
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "error" }]);
  });

  it.each<[string, TaskOptions, string, string]>([
    ["jobs.fails", { ackFailure: true }, "boom once", "ackFailure (P074)"],
    ["jobs.fails", { attempts: 1 }, "boom once", "attempts: 1 (P364)"],
    ["jobs.giveUp", {}, "no such customer", "NoRetryError (P093)"],
    ["jobs.returnsFunction", {}, "result.user.greet", "a result that cannot be carried (P096)"],
    ["shop.checked", {}, "expected a number", "arguments that fail their schema (P095)"],
  ])("is final at once: %s with %j says %j, because of %s", async (name, options, message) => {
    const id = await shop.q.asyncTask(ref(name, options), "once");

    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({
      success: false,
      attempts: 1,
      error: { message: expect.stringContaining(message) },
    });
    expect(await shop.q.attempts(id)).toMatchObject([{ number: 1, ending: "error", counted: true }]);
  });

  it("is final at once when its result is too large, and says both sizes", async () => {
    const id = await shop.q.asyncTask("jobs.returnsMuch", 70_000);

    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({ success: false, attempts: 1, error: { name: "TooLargeError" } });
    expect(finished?.error?.message).toMatch(/takes 70\d\d\d bytes.* is 65536\b/);
  });

  it("is tried without end with attempts: 0, until it succeeds (P027)", async () => {
    const backoff = { base: "5ms", factor: 1 } as const;
    const id = await shop.q.asyncTask(ref("jobs.nth", { attempts: 0, backoff }), "stubborn", 8);

    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, result: 8, attempts: 8, error: undefined });
    expect((await shop.q.attempts(id)).map(({ ending }) => ending)).toEqual([
      ...Array.from({ length: 7 }, () => "error"),
      "succeeded",
    ]);
  });

  it("is charged for its time, in fractions of a second too, and its worker lives on (P022, P073, P303)", async () => {
    const options = { timeout: "300ms", attempts: 2, backoff: { base: "20ms" } } as const;
    const id = await shop.q.asyncTask(ref("jobs.obeys", options), "slow");

    const finished = await shop.q.fetch(id, limit);

    const message = "Task exceeded maximum timeout value (0.3 seconds)";
    expect(finished).toMatchObject({ success: false, attempts: 2, error: { name: "TaskTimeoutError", message } });
    const attempts = await shop.q.attempts(id);
    expect(attempts).toMatchObject([
      { ending: "timeout", counted: true },
      { ending: "timeout", counted: true },
    ]);
    for (const { startedAt, stoppedAt } of attempts) expect(stoppedAt - startedAt).toBeGreaterThanOrEqual(295);
    const [cluster] = await shop.q.clusters();
    expect(cluster?.reincarnations).toBe(0);
  });

  it("has used up its time also when it returns something after all (P303)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.yields", { timeout: "200ms", attempts: 1 }), "yields");

    const finished = await shop.q.fetch(id, limit);

    expect(finished).toMatchObject({ success: false, error: { name: "TaskTimeoutError" } });
    expect(shop.trace()).toContain("gave in yields");
  });

  it("keeps its unique key while it waits for another attempt (P092)", async () => {
    const options = { unique: "u1", attempts: 2, backoff: { base: "700ms", jitter: 0 } } as const;
    const first = await shop.q.asyncTask(ref("jobs.nth", options), "unique", 2);
    await until(async () => (await shop.q.status(first))?.state === "retrying", "the state retrying");
    const meanwhile = await shop.q.asyncTask(ref("jobs.nth", options), "unique", 2);
    await shop.q.fetch(first, limit);
    const afterwards = await shop.q.asyncTask(ref("jobs.nth", options), "unique", 1);

    expect(meanwhile).toBe(first);
    expect(afterwards).not.toBe(first);
  });

  it("stays on record with save: false; a success does not (P072, P368)", async () => {
    const failure = await shop.q.asyncTask(ref("jobs.fails", { save: false, attempts: 1 }), "kept");
    const success = await shop.q.asyncTask(ref("jobs.traced", { save: false }), "unsaved");

    expect(await shop.q.fetch(failure, limit)).toMatchObject({ success: false });
    await until(() => starts("unsaved").length > 0, "the task to start");
    await until(async () => (await shop.q.status(success)) === undefined, "no trace of the success");
    expect(await shop.q.attempts(success)).toEqual([]);
  });
});

describe("a task that is not to start at once", () => {
  let shop: Workshop;
  beforeAll(async () => {
    shop = await workshop({ workers: 2 }, tasks);
    await shop.cluster();
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  it.each([
    ["delay", { delay: "600ms" } as const],
    ["runAt", { runAt: new Date(0) }],
  ])("starts when it is due, by %s (P090, P100)", async (how, given) => {
    const now = Date.now();
    const options = how === "runAt" ? { runAt: new Date(now + 600) } : given;
    const id = await shop.q.asyncTask(ref("jobs.whenDue", options));
    const before = await shop.q.status(id);
    const finished = await shop.q.fetch(id, limit);

    expect(before?.state).toBe("scheduled");
    expect(finished).toMatchObject({ success: true, attempts: 1 });
    expect(finished!.startedAt.getTime()).toBeGreaterThanOrEqual(now + 600);
    expect(finished!.startedAt.getTime()).toBeLessThan(now + 600 + 1_000);
    expect(finished!.result).toBeGreaterThanOrEqual(now + 600);
  });

  it("can be cancelled until then (P098)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.traced", { delay: "500ms" }), "never");
    const marker = await shop.q.asyncTask(ref("jobs.traced", { delay: "700ms" }), "marker");

    expect(await shop.q.cancel(id)).toBe("cancelled");
    await shop.q.fetch(marker, limit);
    expect(shop.trace().some((line) => line.includes("never"))).toBe(false);
  });

  it("frees a key with while: queued when it starts (P092)", async () => {
    const once = ref("jobs.traced", { unique: { key: "k", while: "queued" } });
    const first = await shop.q.asyncTask(once, "whileQueued", 1_500);
    await until(() => shop.trace().some((line) => line.includes("whileQueued")), "the first one to start");
    const second = await shop.q.asyncTask(once, "whileQueued", 0);
    await shop.q.fetch(second, limit);

    expect(second).not.toBe(first);
    expect(await shop.q.status(first)).toMatchObject({ state: "running" });
  });

  it("frees a key when its time is up, though the task still runs (P092)", async () => {
    const once = ref("jobs.traced", { unique: { key: "f", for: "400ms" } });
    const first = await shop.q.asyncTask(once, "forSome", 2_000);
    const same = await shop.q.asyncTask(once, "forSome", 0);
    let later: string = first;
    await until(
      async () => (later = await shop.q.asyncTask(once, "forSome", 0)) !== first,
      "a task of its own after 400 ms",
    );

    expect(same).toBe(first);
    expect(await shop.q.status(first)).toMatchObject({ state: "running" });
    expect(await shop.q.fetch(later, limit)).toMatchObject({ success: true });
  });
});

it("starts what waits by priority, then in the order in which it came, and ends what has expired (P091, P251)", async () => {
  await using shop = await workshop({ workers: 1 }, tasks);
  const enqueue = async (label: string, options: TaskOptions): Promise<string> =>
    await shop.q.asyncTask(ref("jobs.traced", options), label);
  const gone = await enqueue("gone", { expires: 1 });
  await enqueue("low", { priority: -5 });
  await enqueue("first", {});
  await enqueue("second", {});
  await enqueue("high", { priority: 10 });

  await shop.cluster();

  expect(await shop.q.fetch(gone, limit)).toMatchObject({
    success: false,
    attempts: 0,
    error: { name: "ExpiredError", message: expect.stringContaining("expired") },
  });
  expect(await shop.q.status(gone)).toMatchObject({ state: "expired" });
  expect(await shop.q.attempts(gone)).toEqual([]);
  await until(() => shop.trace().length === 4, "four starts");
  expect(shop.trace().map((line) => line.split(" ")[1])).toEqual(["high", "first", "second", "low"]);
});
