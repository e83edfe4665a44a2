import { expect, it } from "vitest";
import { startCluster } from "qluster/cluster";
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

it("refuses a configuration that cannot work, with everything that is wrong", async () => {
  const config = { name: "test", database: "sqlite:q.db", tasks: ["jobs.mjs"], workers: -1, concurency: 5 };

  await expect(startCluster(config, { root: "/nowhere" })).rejects.toThrow(/concurency[^]*concurrency[^]*workers/);
});
