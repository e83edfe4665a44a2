import { beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { TaskFailedError } from "../errors.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("client.double", (n: number) => n * 2);
const fail = task("client.fail", (message: string) => {
  throw new TypeError(message);
});

describe.each(backends)("groups on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  beforeEach(async () => {
    for (const n of [1, 2, 3]) await q.asyncTask(double.with({ group: "g" }), n);
  });

  it("give the results of their successes, newest first (P116)", async () => {
    await runQueued(backend);

    expect(await q.resultGroup("g")).toEqual([6, 4, 2]);
  });

  it("wait for a number of finished members, failures included (P117, P119)", async () => {
    await q.asyncTask(fail.with({ group: "g" }), "x");
    const waiting = q.resultGroup("g", { count: 4 });
    await runQueued(backend);

    expect(await waiting).toEqual([6, 4, 2]);
    expect(await q.resultGroup("g", { count: 2, wait: 0 })).toHaveLength(3);
  });

  it("give nothing when the number is not reached in time (P118, P122)", async () => {
    await runQueued(backend);

    expect(await q.resultGroup("g", { count: 4, wait: 30 })).toBeUndefined();
    expect(await q.fetchGroup("g", { count: 4, wait: 0 })).toBeUndefined();
    expect(await q.resultGroup("unknown")).toBeUndefined();
    expect(await q.resultGroup("unknown", { count: 0 })).toEqual([]);
  });

  it("show failures where they are asked for (P120, P121, P123)", async () => {
    await q.asyncTask(fail.with({ group: "g" }), "x");
    await runQueued(backend);

    const withFailures = await q.resultGroup("g", { failures: true });
    const records = await q.fetchGroup("g");
    const successes = await q.fetchGroup("g", { failures: false });

    expect(withFailures).toEqual([expect.any(TaskFailedError), 6, 4, 2]);
    expect(records?.map(({ success }) => success)).toEqual([false, true, true, true]);
    expect(successes).toHaveLength(3);
    expect([await q.countGroup("g"), await q.countGroup("g", { failures: true })]).toEqual([4, 1]);
  });

  it("lose their label, or their members (P124, P130)", async () => {
    await runQueued(backend);
    const [newest] = (await q.fetchGroup("g")) ?? [];

    expect(await q.deleteGroup("g")).toBe(3);
    expect(await q.countGroup("g")).toBe(0);
    expect(await q.fetch(newest?.id ?? "")).toMatchObject({ group: undefined, result: 6 });
    expect(await q.deleteGroup("unknown", { tasks: true })).toBe(0);
  });

  it("tell no hook when a record is changed later, only when a task ends (P347)", async () => {
    const told: string[] = [];
    const hook = task("client.group-hook", (finished: { readonly id: string }) => void told.push(finished.id));
    const id = await q.asyncTask(double.with({ group: "hooked", hook, sync: true }), 1);

    await (await q.fetch(id))?.save();
    await q.deleteGroup("hooked");

    expect((await q.fetch(id))?.group).toBeUndefined();
    expect(told).toEqual([id]);
    expect(await q.queueSize()).toBe(3);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ["a negative count", () => q.resultGroup("g", { count: -1 }), /count is -1; expected a whole number of 0 or more/],
    ["an empty label", () => q.countGroup(""), /group is ""/],
    ["a label that is too long", () => q.fetchGroup("g".repeat(101)), /101/],
    [
      "an unknown option",
      () => q.deleteGroup("g", { task: true } as never),
      /no option "task" here\. Known are: tasks/,
    ],
    ["failures in words", () => q.resultGroup("g", { failures: "yes" as never }), /failures is "yes"/],
  ])("refuse %s", async (__, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
  });
});
