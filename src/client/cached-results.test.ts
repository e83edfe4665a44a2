import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testConfig } from "../../test/support/each-queue.js";
import { memoryBackend } from "../backends/memory/index.js";
import type { Backend } from "../contracts/backend.js";
import { cacheResult } from "../core/cached-result.js";
import { readHeader } from "../core/task-header.js";
import { manualClock, type TestClock } from "../testing/manual-clock.js";
import { ResultExpiredError, TaskFailedError } from "../errors.js";
import { settled } from "../../test/support/run-queued.js";
import { createQluster } from "./create-qluster.js";
import { link, previous } from "./link.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("cached.double", (n: number) => n * 2);
let isBroken = false;
const shaky = task("cached.shaky", () => {
  if (isBroken) throw new Error("broken");
  return "fine";
});

describe("cached results", () => {
  let clock: TestClock;
  let backend: Backend;
  let q: Qluster;
  beforeEach(() => {
    clock = manualClock(Date.now());
    backend = memoryBackend({ clock });
    q = createQluster(testConfig, { backend, env: {} });
    isBroken = false;
  });
  afterEach(async () => {
    await q.close();
    await backend[Symbol.asyncDispose]();
  });

  /** Runs what waits, and stores it as a cluster does. */
  async function runAll(): Promise<void> {
    const cluster = { id: "c1", host: "web-1", pid: 1 };
    const consumer = await backend.broker.consume({ queues: ["test"], leaseMs: 60_000, cluster });
    for (let some = await consumer.take({ max: 100, waitMs: 0 }); some.length > 0;) {
      for (const delivery of some) {
        const settlement = await settled(delivery);
        const cached = readHeader(delivery.envelope)?.cached;
        const stored = cached === undefined ? settlement : await cacheResult(backend.cache, settlement, cached);
        await backend.store.finish(consumer.id, [stored]);
      }
      some = await consumer.take({ max: 100, waitMs: 0 });
    }
    await consumer.close();
  }

  it("are read like others, lie under a key of their own, and are not in the record (P075, P109, P167, P169)", async () => {
    const id = await q.asyncTask(double.with({ cached: "10s" }), 4);
    await runAll();

    expect(await q.result(id, { cached: true })).toBe(8);
    expect(await q.result(id)).toBe(8);
    const [stored] = await backend.store.get([id]);
    expect(stored?.state).toBe("succeeded");
    expect(stored?.result).not.toContain("8");
  });

  it("expire after their time, to the moment (P167)", async () => {
    const id = await q.asyncTask(double.with({ cached: "10s" }), 4);
    await runAll();

    await clock.advance(9_950);
    expect(await q.result(id)).toBe(8);
    await clock.advance(100);

    await expect(q.result(id)).rejects.toThrow(ResultExpiredError);
    await expect(q.fetch(id)).rejects.toThrow(ResultExpiredError);
    expect((await q.status(id))?.state).toBe("succeeded");
    expect(await q.attempts(id)).toHaveLength(1);
  });

  it("are kept without limit when asked to (P168)", async () => {
    const id = await q.asyncTask(double.with({ cached: true }), 4);
    await runAll();

    await clock.advance(365 * 86_400_000);

    expect(await q.result(id)).toBe(8);
  });

  it("read as expired, and not as unfinished, when the cache has dropped them", async () => {
    const id = await q.asyncTask(double.with({ cached: true }), 4);
    await runAll();
    await backend.cache.delete(`result:${id}:1`);

    await expect(q.result(id, { wait: "1h" })).rejects.toThrow(ResultExpiredError);
  });

  it("keep their group, name and attempts (P173)", async () => {
    const id = await q.asyncTask(double.with({ cached: "10s", group: "g", taskName: "n" }), 4);
    await runAll();

    expect(await q.fetch(id)).toMatchObject({ group: "g", name: "n", attempts: 1, result: 8 });
    expect(await q.resultGroup("g", { cached: true })).toEqual([8]);
    expect(await q.countGroup("g", { cached: true })).toBe(1);
  });

  it("are left out of their group once they have expired, without an error (P128)", async () => {
    await q.asyncTask(double.with({ cached: "10s", group: "g" }), 1);
    await q.asyncTask(double.with({ cached: "30s", group: "g" }), 2);
    await q.asyncTask(double.with({ group: "g" }), 3);
    await q.asyncIter(double.with({ cached: "10s", group: "g" }), [4]);
    await runAll();
    expect(await q.resultGroup("g")).toHaveLength(4);

    await clock.advance(11_000);

    expect(await q.resultGroup("g")).toEqual([6, 4]);
    expect((await q.fetchGroup("g"))?.map(({ result }) => result)).toEqual([6, 4]);
  });

  it("can be deleted by id, once; the record stays, and reads as expired (P110)", async () => {
    const id = await q.asyncTask(double.with({ cached: true }), 4);
    const plain = await q.asyncTask(double, 5);
    await runAll();

    expect(await q.deleteCached(id)).toBe(true);
    expect(await q.deleteCached(id)).toBe(false);
    await expect(q.result(id)).rejects.toThrow(ResultExpiredError);
    expect(await q.status(id)).toMatchObject({ state: "succeeded" });
    expect(await q.deleteCached(plain)).toBe(false);
    expect(await q.result(plain)).toBe(10);
    expect(await q.deleteCached("nobody")).toBe(false);
  });

  it("are the rule when the configuration says so, and a task may say otherwise (P049, P081)", async () => {
    await using all = createQluster({ ...testConfig, cached: "10s" }, { backend, env: {} });
    const usual = await all.asyncTask(double, 1);
    const longer = await all.asyncTask(double.with({ cached: "1m" }), 2);
    const never = await all.asyncTask(double.with({ cached: false }), 3);
    const chain = await all.asyncChain([link(double, 4)]);
    const list = await all.asyncIter(double, [5]);
    await runAll();
    expect(await all.result(usual)).toBe(2);
    expect(await all.resultGroup(chain)).toEqual([8]);

    await clock.advance(10_001);

    await expect(all.result(usual)).rejects.toThrow(ResultExpiredError);
    expect(await all.result(longer)).toBe(4);
    expect(await all.result(never)).toBe(6);
    await expect(all.result(list)).rejects.toThrow(ResultExpiredError);
    await expect(all.resultGroup(chain)).rejects.toThrow(ResultExpiredError);
  });

  it("are deleted with their group, and an unknown group is no error (P124, P130)", async () => {
    const id = await q.asyncTask(double.with({ cached: true, group: "g" }), 1);
    await runAll();

    expect(await q.deleteGroup("g", { cached: true })).toBe(1);
    expect(await backend.cache.get(`result:${id}:1`)).toBeUndefined();
    expect(await q.deleteGroup("nobody", { cached: true })).toBe(0);
    expect(await q.countGroup("nobody", { cached: true })).toBe(0);
  });

  it("count as a try, and as no more than `attempts` (P172)", async () => {
    isBroken = true;
    const id = await q.asyncTask(shaky.with({ cached: "10s", attempts: 1 }));
    await runAll();

    await expect(q.result(id)).rejects.toThrow(TaskFailedError);
    expect(await q.attempts(id)).toHaveLength(1);
  });

  it("are not replaced by a later failure, nor by a later success (P174)", async () => {
    const id = await q.asyncTask(double.with({ cached: "10s" }), 4);
    const cluster = { id: "c1", host: "web-1", pid: 1 };
    const late = await backend.broker.consume({ queues: ["test"], leaseMs: 60_000, cluster });
    const [stale] = await late.take({ max: 1, waitMs: 0 });
    await late.close();
    await runAll();

    const settlement = await settled(stale!);
    const other = { ...settlement, attempt: { ...settlement.attempt!, number: 2 } };
    const stored = await cacheResult(backend.cache, other, 1);
    expect(await backend.store.finish(late.id, [stored])).toEqual([false]);

    await clock.advance(100);
    expect(await q.result(id)).toBe(8);
  });

  it("can be made permanent from their record (P170)", async () => {
    const id = await q.asyncTask(double.with({ cached: "10s" }), 4);
    const other = await q.asyncTask(double, 5);
    await runAll();

    expect(await (await q.fetch(id))?.save()).toBe(true);
    expect(await (await q.fetch(other))?.save()).toBe(true);
    await clock.advance(86_400_000);

    expect(await q.result(id)).toBe(8);
  });

  it("work in sync mode, for chains and for iterables", async () => {
    const here = await q.asyncTask(double.with({ cached: "10s", sync: true }), 4);
    const chain = await q.asyncChain([link(double.with({ cached: "1s" }), 1), link(double, previous())], {
      cached: "10s",
    });
    const list = await q.asyncIter(double.with({ cached: "10s" }), [1, 2]);
    await runAll();
    expect([await q.result(here), await q.resultGroup(chain), await q.result(list)]).toEqual([8, [2, 4], [2, 4]]);

    await clock.advance(11_000);

    await expect(q.result(here)).rejects.toThrow(ResultExpiredError);
    await expect(q.resultGroup(chain)).rejects.toThrow(ResultExpiredError);
    await expect(q.result(list)).rejects.toThrow(ResultExpiredError);
  });
});

describe("a record that was read", () => {
  it("offers what can be done with its own group (P125)", async () => {
    const backend = memoryBackend();
    await using q = createQluster(testConfig, { backend, env: {} });
    const id = await q.asyncTask(double.with({ group: "g", sync: true }), 4);
    const alone = await q.asyncTask(double.with({ sync: true }), 4);

    const record = await q.fetch(id);
    const other = await q.fetch(alone);

    expect(await record?.groupResult()).toEqual([8]);
    expect(await record?.groupCount()).toBe(1);
    expect(await record?.groupDelete()).toBe(1);
    expect(await q.countGroup("g")).toBe(0);
    expect([await other?.groupResult(), await other?.groupCount(), await other?.groupDelete()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(Object.keys(record ?? {})).not.toContain("save");
  });
});
