import { describe, expect, it } from "vitest";
import { link, ref } from "qluster";
import { holdLock } from "../support/hold-lock.js";
import { ownDatabase } from "../support/server.js";
import { alive, until, workshop } from "../support/workshop.js";
import { storeOf } from "../support/workshop-store.js";
import type { ClusterProcess, Workshop } from "../support/workshop.js";

const limit = { wait: "40s" } as const;

/** Labels of the tasks that started, with the process in which they did. */
function starts(shop: Workshop): { label: string; pid: number }[] {
  return shop
    .trace()
    .map((line) => line.split(" "))
    .filter(([word]) => word === "start")
    .map(([, label = "", , pid]) => ({ label, pid: Number(pid) }));
}

async function started(shop: Workshop, ...labels: string[]): Promise<void> {
  const missing = (): string[] => labels.filter((label) => !starts(shop).some((start) => start.label === label));
  await until(
    () => missing().length === 0,
    () => `${missing().join(", ")} to start`,
  );
}

describe("SIGTERM", () => {
  it("lets what runs finish, and gives the rest to another cluster at once (P291, P293)", async () => {
    await using shop = await workshop({ workers: 1, lease: "1m" });
    const first = await shop.cluster();
    const long = await shop.q.asyncTask("jobs.traced", "long", 6_000);
    await started(shop, "long");
    const rest = await shop.q.asyncTasks([1, 2, 3].map((n) => link("jobs.traced", `rest${n}`, 50)));

    first.kill("SIGTERM");
    await first.says(/stopped pushing tasks/);
    await shop.cluster();

    for (const id of rest) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
    expect(await shop.q.status(long)).toMatchObject({ state: "running" });
    expect(await shop.q.fetch(long, limit)).toMatchObject({ success: true, result: "long", attempts: 1 });
    expect(await first.exited).toBe(0);
    expect(
      starts(shop)
        .map(({ label }) => label)
        .sort(),
    ).toEqual(["long", "rest1", "rest2", "rest3"]);
  });

  it("ends what takes longer than the grace time; it is released, not charged, and runs again (P293)", async () => {
    await using shop = await workshop({ workers: 2, lease: "1m", grace: "300ms", attempts: 1 });
    const first = await shop.cluster();
    const ids = await shop.q.asyncTasks([link("jobs.obeys", "obeys"), link("jobs.swallows", "swallows")]);
    await started(shop, "obeys", "swallows");
    const workers = first.workers();

    first.kill("SIGTERM");

    expect(await first.exited).toBe(0);
    expect(workers.some(alive)).toBe(false);
    for (const id of ids) {
      expect(await shop.q.attempts(id)).toMatchObject([{ number: 1, ending: "released", counted: false }]);
      expect(await shop.q.status(id)).toMatchObject({ state: "queued", attempts: 0 });
    }
    await shop.cluster();
    await until(() => starts(shop).length === 4, "both to start again");
  });

  it("a second time hurries: nothing is charged, and what has ended is stored (P293)", async () => {
    await using shop = await workshop({ workers: 2, lease: "1m", grace: "1m", attempts: 1 });
    const cluster = await shop.cluster();
    const slow = await shop.q.asyncTask("jobs.swallows", "slow");
    const calm = await shop.q.asyncTask("jobs.obeys", "calm");
    await started(shop, "slow", "calm");

    cluster.kill("SIGTERM");
    await cluster.says(/a second signal stops at once/);
    cluster.kill("SIGTERM");
    const at = performance.now();

    expect(await cluster.exited).toBe(0);
    expect(performance.now() - at).toBeLessThan(5_000);
    for (const id of [slow, calm]) {
      expect(await shop.q.attempts(id)).toMatchObject([{ ending: "released", counted: false }]);
    }
    expect(cluster.log.some((line) => line.msg.includes("could not be stored"))).toBe(false);
  });

  it("before the cluster is ready stops it cleanly (P289)", async () => {
    await using shop = await workshop({ workers: 2 });
    const id = await shop.q.asyncTask("jobs.traced", "untouched");
    const cluster = await shop.cluster({ noWait: true });
    await cluster.says(/starting\.$/);
    const workers = cluster.workers();

    cluster.kill("SIGTERM");

    expect(await cluster.exited).toBe(0);
    await cluster.says(/has stopped\.$/);
    expect([...workers, ...cluster.workers()].some(alive)).toBe(false);
    expect(await shop.q.status(id)).toMatchObject({ state: "queued", attempts: 0 });
  });

  it("ends a cluster whose task modules hang while they load, within the grace time (P289, P293)", async () => {
    const hangs = "\nawait new Promise(() => setInterval(() => {}, 1_000));";
    await using shop = await workshop({ workers: 1, grace: "1s", lease: "1m" }, hangs);
    const cluster = await shop.cluster({ noWait: true });
    await cluster.says(/starting\.$/);
    await until(() => cluster.workers().length > 0, "its worker");

    cluster.kill("SIGTERM");

    await until(() => !alive(cluster.pid), "the cluster to end");
    expect(await cluster.exited).toBe(0);
  });

  it("a second time stores what has ended, also when the store is slow just then (P113)", async () => {
    await using shop = await workshop({ ...(await ownDatabase()), workers: 1, lease: "1m", grace: "1m", attempts: 1 });
    const cluster = await shop.cluster();
    const id = await shop.q.asyncTask("jobs.obeys", "calm");
    await started(shop, "calm");
    cluster.kill("SIGTERM");
    await cluster.says(/a second signal stops at once/);

    const lock = await holdLock(shop, 1_000);
    cluster.kill("SIGTERM");

    await lock.released;
    expect(await cluster.exited).toBe(0);
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "released", counted: false }]);
  });

  it.each([
    ["SIGTERM", true],
    ["SIGTERM", false],
    ["SIGINT", false],
  ] as const)(
    "to the whole process group: %s lets tasks finish, with daemonizeWorkers %s (P290, P294)",
    async (signal, daemonizeWorkers) => {
      await using shop = await workshop({ workers: 2, daemonizeWorkers });
      const cluster = await shop.cluster({ detached: true });
      const id = await shop.q.asyncTask("jobs.traced", "grouped", 1_500);
      await started(shop, "grouped");

      process.kill(-cluster.pid, signal);

      expect(await cluster.exited).toBe(0);
      expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
      expect(starts(shop)).toHaveLength(1);
      expect(await shop.q.clusters()).toEqual([]);
    },
  );

  it("in the middle of many short tasks starts none of them twice, and loses none (P291)", async () => {
    await using shop = await workshop({ workers: 2, lease: "1m" });
    const first = await shop.cluster();
    const ids = await shop.q.asyncTasks(Array.from({ length: 1_500 }, (_, n) => link("jobs.busy", `short${n}`, 1)));
    await until(() => starts(shop).length > 200, "the first of them");

    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    const drained = await shop.cluster({ args: ["--drain"], noWait: true });
    expect(await drained.exited).toBe(0);

    const records = await Promise.all(ids.map(async (id) => await shop.q.fetch(id)));
    expect(records.every((record) => record?.success === true && record.attempts === 1)).toBe(true);
    expect(starts(shop)).toHaveLength(1_500);
  });
});

describe("a bounded run", () => {
  it("with --run-once tries what is there, and stops (P296)", async () => {
    await using shop = await workshop({ workers: 2, attempts: 2, backoff: { base: "1h" } });
    const good = await shop.q.asyncTasks([1, 2, 3].map((n) => link("jobs.traced", `good${n}`, 20)));
    const bad = await shop.q.asyncTask("jobs.fails", "bad");

    const cluster = await shop.cluster({ args: ["--run-once"], noWait: true });

    expect(await cluster.exited).toBe(0);
    for (const id of good) expect(await shop.q.fetch(id)).toMatchObject({ success: true });
    expect(await shop.q.status(bad)).toMatchObject({ state: "retrying", attempts: 1 });
  });

  it("with --drain waits for retries and for what is due soon, and not for what is due later (P296)", async () => {
    await using shop = await workshop({ workers: 2, attempts: 2, backoff: { base: "700ms", jitter: 0 } });
    const bad = await shop.q.asyncTask("jobs.fails", "bad");
    const soon = await shop.q.asyncTask(ref("jobs.traced", { delay: "1s" }), "soon");
    const later = await shop.q.asyncTask(ref("jobs.traced", { delay: "1h" }), "later");

    const cluster = await shop.cluster({ args: ["--drain"], noWait: true });

    expect(await cluster.exited).toBe(0);
    expect(await shop.q.fetch(bad)).toMatchObject({ success: false, attempts: 2 });
    expect(await shop.q.fetch(soon)).toMatchObject({ success: true });
    expect(await shop.q.status(later)).toMatchObject({ state: "scheduled" });
  });
});

describe("a worker is replaced", () => {
  it("after so many tasks; nothing is lost, and there are always as many workers (P019, P286, P308)", async () => {
    await using shop = await workshop({ workers: 2, recycle: 10 });
    const cluster = await shop.cluster();
    const ids = await shop.q.asyncTasks(Array.from({ length: 100 }, (_, n) => link("jobs.busy", `r${n}`, 2)));
    const counts = new Set<number>();
    await until(
      async () => {
        for (const { workers } of await shop.q.clusters()) counts.add(workers.length);
        return (await shop.q.queueSize()) === 0 && starts(shop).length >= 100;
      },
      "all tasks to start",
      40_000,
    );

    for (const id of ids) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
    expect(starts(shop)).toHaveLength(100);
    const perWorker = new Map<number, number>();
    for (const { pid } of starts(shop)) perWorker.set(pid, (perWorker.get(pid) ?? 0) + 1);
    expect(Math.max(...perWorker.values())).toBeLessThanOrEqual(10);
    expect([...counts]).toEqual([2]);
    await until(() => recycled(cluster).length >= 9, "nine lines of recycled workers");
    expect(recycled(cluster).every((line) => line["why"] === "recycle")).toBe(true);
  });

  it("when its memory has grown to the limit; its neighbours' tasks and those after go on (P020, P308)", async () => {
    const tasks =
      "\nconst kept = []; export function grows(label) { started(label); kept.push(Buffer.alloc(200_000_000, 1)); return kept.length; }";
    await using shop = await workshop({ workers: 1, maxRss: "220MB" }, tasks);
    const cluster = await shop.cluster();

    const results = [];
    for (const n of [1, 2]) results.push(await shop.q.result(await shop.q.asyncTask("jobs.grows", `g${n}`), limit));

    expect(results).toEqual([1, 1]);
    expect(new Set(starts(shop).map(({ pid }) => pid)).size).toBe(2);
    expect(recycled(cluster)[0]).toMatchObject({ why: "rss" });
  });

  it("when the order `recycle` comes; what runs finishes first (P308)", async () => {
    await using shop = await workshop({ workers: 2 });
    const cluster = await shop.cluster();
    const [status] = await shop.q.clusters();
    const before = cluster.workers();
    const id = await shop.q.asyncTask("jobs.traced", "kept", 1_000);
    await started(shop, "kept");

    await (await storeOf(shop)).tell(status!.clusterId, { order: "recycle" });

    await until(() => before.every((pid) => !alive(pid)) && cluster.workers().length === 2, "two new workers");
    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
    expect(recycled(cluster)).toHaveLength(2);
    await until(async () => (await shop.q.clusters())[0]?.reincarnations === 2, "two reincarnations");
  });
});

it("the order `stop` stops a cluster as SIGTERM does (P291)", async () => {
  await using shop = await workshop({ workers: 1 });
  const cluster = await shop.cluster();
  const id = await shop.q.asyncTask("jobs.traced", "last", 1_000);
  await started(shop, "last");
  const [status] = await shop.q.clusters();

  await (await storeOf(shop)).tell(status!.clusterId, { order: "stop" });

  expect(await cluster.exited).toBe(0);
  expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, attempts: 1 });
  expect(cluster.log.map((line) => line.msg).slice(-1)).toEqual([expect.stringMatching(/has stopped\.$/)]);
});

function recycled(cluster: ClusterProcess): { [field: string]: unknown }[] {
  return cluster.log.filter((line) => line.msg.startsWith("recycled worker"));
}
