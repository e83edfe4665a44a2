import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, it } from "vitest";
import { startCluster } from "qluster/cluster";
import { holdLock } from "../support/hold-lock.js";
import { ownDatabase } from "../support/server.js";
import { until, workshop } from "../support/workshop.js";

it("never holds up the application's loop while another process holds the write lock", async () => {
  await using shop = await workshop({ ...(await ownDatabase()), logLevel: "silent", lease: "60s" });
  await using cluster = await startCluster(shop.config, { root: shop.folder });
  const id = await shop.q.asyncTask("jobs.traced", "t", 500);
  await until(() => shop.trace().length === 1, "the task to start");
  const { released } = await holdLock(shop, 5_000);

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await released;
  delay.disable();

  // The store has a thread of its own; what is left is the noise of a busy machine.
  expect(delay.percentile(99) / 1e6).toBeLessThan(50);
  expect(await shop.q.result(id, { wait: "20s" })).toBe("t");
  await until(() => cluster.stat().doneQueueSize === 0, "the cluster to hear that everything is stored");
});
