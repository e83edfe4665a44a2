import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testConfig } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import { memoryBackend } from "../backends/memory/index.js";
import type { Backend } from "../contracts/backend.js";
import { AsyncTask } from "./async-task-object.js";
import { Chain } from "./chain-object.js";
import { createQluster } from "./create-qluster.js";
import { Iter } from "./iter-object.js";
import { link } from "./link.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("objects.double", (n: number) => n * 2);
const told: unknown[] = [];
const listen = task("objects.listen", (finished: { readonly result: unknown }) => void told.push(finished.result));

let backend: Backend;
let q: Qluster;
beforeEach(() => {
  backend = memoryBackend();
  q = createQluster(testConfig, { backend, env: {} });
  told.length = 0;
});
afterEach(async () => {
  await q.close();
  await backend[Symbol.asyncDispose]();
});

async function runAll(): Promise<void> {
  while ((await runQueued(backend)) > 0);
}

describe("AsyncTask", () => {
  it("has no id and has not started before it runs (P162)", async () => {
    const job = new AsyncTask(q, double, 4);

    expect([job.id, job.started]).toEqual(["", false]);
    expect(await q.queueSize()).toBe(0);
  });

  it("runs, and again with other arguments (P164)", async () => {
    const job = new AsyncTask(q, double, 4);

    const first = await job.run();
    await runAll();
    expect([job.id, job.started, await job.result()]).toEqual([first, true, 8]);

    job.args = [5];
    const second = await job.run();
    await runAll();
    expect(second).not.toBe(first);
    expect((await job.fetch("1s"))?.result).toBe(10);
  });

  it("has properties that are options of the request, and is unread after a change (P163)", async () => {
    const job = new AsyncTask(q, double, 4);
    expect([job.sync, job.save, job.hook, job.group, job.cached]).toEqual(Array.from({ length: 5 }));

    job.group = "g";
    job.cached = "10s";
    job.hook = listen;
    job.sync = true;
    job.save = true;
    await job.run();

    expect([job.sync, job.save, job.group, job.cached]).toEqual([true, true, "g", "10s"]);
    expect(await job.fetch()).toMatchObject({ group: "g", result: 8 });
    expect(told).toEqual([8]);
    for (const change of [
      () => (job.group = "h"),
      () => (job.save = false),
      () => (job.cached = false),
      () => (job.sync = false),
    ]) {
      await job.run();
      change();
      expect([job.started, await job.result(), await job.fetch()]).toEqual([false, undefined, undefined]);
    }
  });

  it("reads its group, when it has one and has started (P165)", async () => {
    const job = new AsyncTask(q, double, 4);
    job.sync = true;
    await job.run();
    expect([await job.resultGroup(), await job.fetchGroup()]).toEqual([undefined, undefined]);

    job.group = "g";
    expect(await job.resultGroup()).toBeUndefined();
    await job.run();

    expect(await job.resultGroup()).toEqual([8]);
    expect(await job.fetchGroup({ count: 1 })).toHaveLength(1);
  });

  it("is unread after a change of its target or arguments, too (P166)", async () => {
    const job = new AsyncTask(q, double, 4);
    job.sync = true;
    await job.run();

    job.args = [7];
    expect([job.started, await job.result()]).toEqual([false, undefined]);
    await job.run();
    job.target = double.with({ group: "g" });

    expect([job.started, job.args]).toEqual([false, [7]]);
  });
});

describe("Chain", () => {
  it("takes links, runs, and is read in their order (P160)", async () => {
    const chain = new Chain(q, [link(double, 1)]);
    expect(await chain.append(double, 2)).toBe(2);
    expect([await chain.current(), await chain.result(), await chain.fetch(), chain.started]).toEqual([
      undefined,
      undefined,
      undefined,
      false,
    ]);

    const id = await chain.run();
    expect([chain.id, chain.group, chain.length(), await chain.current()]).toEqual([id, id, 2, 0]);
    expect(await chain.result(20)).toBeUndefined();
    await runQueued(backend);
    expect(await chain.current()).toBe(1);
    await runAll();

    expect(await chain.result()).toEqual([2, 4]);
    expect((await chain.fetch())?.map(({ args }) => args)).toEqual([[1], [2]]);
  });

  it("has to run again after a link was appended, and the old label is gone (P160)", async () => {
    const chain = new Chain(q, [link(double, 1)], { group: "report", sync: true });
    await chain.run();
    expect(await q.countGroup("report")).toBe(1);

    await chain.append(double, 2);

    expect([await q.countGroup("report"), chain.started, await chain.result()]).toEqual([0, false, undefined]);
    await chain.run();
    expect(await chain.result()).toEqual([2, 4]);
  });
});

describe("Iter", () => {
  it("takes arguments, runs, and gives one list (P146)", async () => {
    const iter = new Iter(q, double, [[1]]);
    expect([iter.append(2), iter.append(3), iter.length(), iter.started]).toEqual([2, 3, 3, false]);
    expect([await iter.result(), await iter.fetch()]).toEqual([undefined, undefined]);

    const id = await iter.run();
    await runAll();

    expect([iter.id, await iter.result("1s")]).toEqual([id, [2, 4, 6]]);
    expect((await iter.fetch())?.func).toBe("objects.double");
  });

  it("is unread after more was appended, until it runs again (P146)", async () => {
    const iter = new Iter(q, double.with({ sync: true }), [[1]]);
    await iter.run();

    iter.append(2);

    expect([iter.started, await iter.result()]).toEqual([false, undefined]);
    await iter.run();
    expect(await iter.result()).toEqual([2, 4]);
  });
});
