import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, it } from "vitest";
import { startCluster } from "qluster/cluster";
import { holdLock } from "../support/hold-lock.js";
import { until, workshop } from "../support/workshop.js";

it.each(["process", "thread", "none"] as const)(
  "runs inside the application's process, isolation %s (P320)",
  async (isolation) => {
    await using shop = await workshop({ isolation, logLevel: "error" });
    const cluster = await startCluster(shop.config, { root: shop.folder });

    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), { wait: "20s" })).toBe(3);
    // The result can be read before its cluster has heard that it is stored.
    await until(() => cluster.stat().status === "Idle", 5_000, "an idle cluster");
    expect(cluster.stat()).toMatchObject({ isolation, queues: ["test"], running: [] });
    expect(await cluster.stop()).toEqual({ unstored: 0, released: 0 });
  },
);

it("never holds up the application's loop while another process holds the write lock", async () => {
  await using shop = await workshop({ logLevel: "silent", lease: "60s" });
  await using cluster = await startCluster(shop.config, { root: shop.folder });
  const id = await shop.q.asyncTask("jobs.traced", "t", 500);
  await until(() => shop.trace().length === 1, 10_000, "the task to start");
  const { released } = await holdLock(shop, 5_000);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await released;
  delay.disable();

  // The store has a thread of its own; what is left is the noise of a busy machine.
  expect(delay.percentile(99) / 1e6).toBeLessThan(50);
  expect(await shop.q.result(id, { wait: "20s" })).toBe("t");
  await until(() => cluster.stat().doneQueueSize === 0, 5_000, "the cluster to hear that everything is stored");
});

it("refuses a configuration that cannot work, with everything that is wrong", async () => {
  const config = { name: "test", database: "sqlite:q.db", tasks: ["jobs.mjs"], workers: -1, concurency: 5 };

  await expect(startCluster(config, { root: "/nowhere" })).rejects.toThrow(/concurency[^]*concurrency[^]*workers/);
});
