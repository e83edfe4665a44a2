import { expect, it } from "vitest";
import { createQluster } from "qluster";
import { startCluster } from "qluster/cluster";
import type { OpenBackend } from "qluster/contracts";
import { memoryBackend } from "qluster/testing";
import { until, workshop } from "../support/workshop.js";

it.each(["process", "thread", "none"] as const)(
  "runs inside the application's process, isolation %s (P283, P320, P329)",
  async (isolation) => {
    await using shop = await workshop({ isolation, logLevel: "error" });
    const cluster = await startCluster(shop.config, { root: shop.folder });
    expect(await cluster.start()).toBe(process.pid);
    expect(await shop.q.cluster(cluster.id)).toMatchObject({ clusterId: cluster.id, pid: process.pid });

    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), { wait: "20s" })).toBe(3);
    // The result can be read before its cluster has heard that it is stored.
    await until(() => cluster.stat().status === "Idle", "an idle cluster");
    expect(cluster.stat()).toMatchObject({ isolation, queues: ["test"], running: [] });
    expect(await cluster.stop()).toEqual({ unstored: 0, released: 0 });
    expect(cluster.stat().status).toBe("Stopped");
    expect(await shop.q.cluster(cluster.id)).toMatchObject({ clusterId: cluster.id, status: "Stopped" });
  },
);

it("runs on a backend of the application's own, for it and for clusters, with the same tasks (P044, P245)", async () => {
  await using shop = await workshop({ isolation: "none", logLevel: "error" });
  const opened: unknown[] = [];
  const mine = memoryBackend({ project: "test" });
  const backend: OpenBackend = async ({ project, location }) => {
    opened.push({ project, location });
    return mine;
  };
  const config = { ...shop.config, database: { backend, location: "here" } };
  const q = createQluster(config, { root: shop.folder });
  const cluster = await startCluster(config, { root: shop.folder });

  expect(await q.result(await q.asyncTask("jobs.add", 1, 2), { wait: "20s" })).toBe(3);

  expect(opened).toEqual([
    { project: "test", location: "here" },
    { project: "test", location: "here" },
  ]);
  await cluster.stop();
  await q.close();
});

it("takes messages through a broker of the application's own, with the tasks in its database (P044, P245)", async () => {
  await using shop = await workshop({ isolation: "none", logLevel: "error", database: "memory:own-broker" });
  const carried: string[] = [];
  const backend: OpenBackend = async () => {
    const made = memoryBackend({ project: "test" });
    const enqueue: typeof made.broker.enqueue = async (queue, messages) => {
      carried.push(...messages.map(({ id }) => id));
      await made.broker.enqueue(queue, messages);
    };
    return { ...made, broker: { ...made.broker, enqueue } };
  };
  const config = { ...shop.config, broker: { backend } };
  await using q = createQluster(config, { root: shop.folder });

  const id = await q.asyncTask("jobs.add", 1, 2);

  await until(() => carried.includes(id), "the broker to be handed the task");
  expect(carried).toEqual([id]);
});

it("stops within seconds, however rarely its heart beats (P288)", async () => {
  await using shop = await workshop({ isolation: "thread", logLevel: "error", lease: "1h" });
  const cluster = await startCluster(shop.config, { root: shop.folder });
  const start = performance.now();

  await cluster.stop();

  expect(performance.now() - start).toBeLessThan(5_000);
});

it("warns of what its configuration leaves open, as the command does (P024)", async () => {
  const said: string[] = [];
  const ignore = (): void => {};
  const logger = { debug: ignore, info: ignore, warn: (line: string) => void said.push(line), error: ignore };
  await using shop = await workshop({ isolation: "none", timeout: null });

  await using _ = await startCluster({ ...shop.config, logger }, { root: shop.folder });

  expect(said).toEqual([expect.stringMatching(/^timeout is null/)]);
});

it("refuses a configuration that cannot work, with everything that is wrong", async () => {
  const config = { name: "test", database: "sqlite:q.db", tasks: ["jobs.mjs"], workers: -1, concurency: 5 };

  await expect(startCluster(config, { root: "/nowhere" })).rejects.toThrow(/concurency[^]*concurrency[^]*workers/);
});
