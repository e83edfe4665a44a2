import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { FlowError, OptionError } from "../errors.js";
import { link } from "./link.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("batch.double", (n: number) => n * 2);
const loose = (q: Qluster): ((name: unknown, options?: unknown) => Promise<unknown>) => q.batch as never;

describe.each(backends)("batches on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  it("are complete when so many tasks have ended, from wherever they were enqueued (P131)", async () => {
    const batch = await q.batch("nightly", { size: 3 });
    await q.asyncTask(double.with({ batch }), 1);
    const copy = JSON.parse(JSON.stringify(batch)) as typeof batch;
    await q.asyncTasks([link(double.with({ batch: copy }), 2), link(double.with({ batch }), 3)]);
    const waiting = q.result(batch.id, { wait: "10s" });

    expect(await q.flow(batch.id)).toMatchObject({ kind: "batch", name: "nightly", state: "open", size: 3, done: 0 });
    await runQueued(backend);

    expect(await waiting).toEqual({ size: 3 });
    expect(await q.resultGroup("nightly")).toEqual([6, 4, 2]);
    expect(await q.countGroup("nightly")).toBe(3);
  });

  it("refuse one task more than they have places for, with all of its call (P131)", async () => {
    const batch = await q.batch("small", { size: 2 });
    await q.asyncTask(double.with({ batch }), 1);

    const calls = q.asyncTasks([link(double.with({ batch }), 2), link(double.with({ batch }), 3)]);

    await expect(calls).rejects.toThrow(FlowError);
    await expect(q.asyncTasks([link(double.with({ batch }), 2), link(double.with({ batch }), 3)])).rejects.toThrow(
      "The batch small was opened for 2 tasks and has 1 already, so 2 more cannot join",
    );
    expect(await q.queueSize()).toBe(1);
  });

  it("take none after their end, and are complete at once without any", async () => {
    const batch = await q.batch("empty", { size: 0 });

    expect(await q.result(batch.id)).toEqual({ size: 0 });
    await expect(q.asyncTask(double.with({ batch }), 1)).rejects.toThrow(/The batch .* has ended \(succeeded\)/);
    const cancelled = await q.batch("cancelled", { size: 1 });
    await q.asyncTask(double.with({ batch: cancelled }), 1);
    expect(await q.cancel(cancelled.id)).toBe("cancelled");
    expect(await q.queueSize()).toBe(0);
  });

  it("count tasks that run in the caller's process", async () => {
    const batch = await q.batch("here", { size: 1 });

    await q.asyncTask(double.with({ batch, sync: true }), 1);

    expect(await q.result(batch.id)).toEqual({ size: 1 });
  });

  it("refuse members that contradict them", async () => {
    const batch = await q.batch("nightly", { size: 3 });

    expect(() => double.with({ batch, group: "other" })).toThrow(
      'The options batch ("nightly") and group ("other") contradict',
    );
    expect(() => double.with({ batch, unique: "k" })).toThrow("The option unique cannot hold in a batch");
    expect(() => double.with({ batch: { id: 7 } as never })).toThrow("expected what q.batch");
    await expect(q.asyncChain([link(double.with({ batch }), 1)])).rejects.toThrow("The option batch of batch.double");
  });

  it.each<[string, unknown, unknown, string]>([
    ["no size", "b", {}, "The option size is undefined; expected how many tasks"],
    ["no options", "b", undefined, "expected an object of options, with its size"],
    ["a wrong size", "b", { size: -1 }, "The option size is -1; expected a whole number of 0 or more"],
    ["an unknown option", "b", { size: 1, onCompleted: "x" }, "Did you mean onComplete?"],
    ["no name", "", { size: 1 }, "expected a text that is not empty"],
    ["what is no task", "b", { size: 1, onEach: 7 }, "expected a task, a function or a task's name"],
  ])("refuse %s", async (_name, name, options, message) => {
    await expect(Promise.resolve().then(() => loose(q)(name, options))).rejects.toThrow(OptionError);
    await expect(Promise.resolve().then(() => loose(q)(name, options))).rejects.toThrow(message);
  });
});
