import { expect, it, onTestFinished } from "vitest";
import { projectPrefix } from "../../src/backends/redis/key-layout.js";
import { moveSlot } from "../support/redis-slots.js";
import { startRedisCluster, type RedisCluster } from "../support/redis.js";
import { until, workshop, type ClusterProcess, type Workshop } from "../support/workshop.js";

const tasks = 240;
const chains = 30;
const kills = 9;

/** The last tasks wait for up to three leases after the last kill. */
const limitMs = 120_000;

/** Two queues in slots of their own, and one in the project's. */
const queues = ["media", "mail", "test"];

/** A seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function enqueueAll({ q }: Workshop): Promise<{ ids: string[]; opened: string[] }> {
  const { link, ref } = await import("qluster");
  const batch = Array.from({ length: tasks }, (_, n) =>
    link(ref("jobs.traced", { hook: "jobs.hook", queue: queues[n % 3] }), `t${n}`, n % 10 === 0 ? 20 : 2),
  );
  const ids = await q.asyncTasks(batch);
  const opened: string[] = [];
  for (let n = 0; n < chains; n += 1) {
    const links = queues.map((_, place) => link(ref("jobs.add", { queue: queues[(n + place) % 3] }), n, place));
    opened.push(await q.asyncChain(links));
  }
  return { ids, opened };
}

function hooksRun(shop: Workshop): Set<string> {
  const lines = shop.trace().filter((line) => line.startsWith("hook "));
  return new Set(lines.map((line) => line.split(" ")[1]!));
}

/** Every third time its workers die first, and it has a moment to see that. */
async function end(cluster: ClusterProcess, kill: number): Promise<void> {
  if (kill % 3 === 0) for (const pid of cluster.workers()) process.kill(pid, "SIGKILL");
  if (kill % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 200));
  cluster.kill("SIGKILL");
  await cluster.exited;
}

/** Whether a key is on any node. */
function isThere({ nodes }: RedisCluster, key: string): boolean {
  return nodes.some((node) => node.cli("--raw", "keys", key) !== "");
}

it("survives kills of workers and of the whole cluster, and moves of slots, with tasks in two queues apart and one that is not", async () => {
  const redis = await startRedisCluster();
  onTestFinished(() => redis.stop());
  const config = { database: redis.url, queues: { test: 1, media: { apart: true }, mail: { apart: true, weight: 2 } } };
  await using shop = await workshop({ ...config, attempts: 0, workers: 2, lease: "1s" });
  const { ids, opened } = await enqueueAll(shop);
  const next = random(11);

  for (let kill = 0; kill < kills; kill += 1) {
    const cluster = await shop.cluster({ args: ["--log-level", "error"], noWait: true });
    const more = Math.min(shop.trace().length + 1 + Math.floor(next() * 50), 2 * tasks - 1);
    await until(() => shop.trace().length >= more || hooksRun(shop).size === tasks, "more tasks to start");
    if (kill === 3) await moveSlot(redis.nodes, projectPrefix("test", "media"));
    if (kill === 6) await moveSlot(redis.nodes, projectPrefix("test"));
    await end(cluster, kill);
  }
  await shop.cluster({ args: ["--log-level", "error"], noWait: true });

  await until(() => hooksRun(shop).size === tasks, "every hook to run", limitMs);
  for (const [n, id] of opened.entries()) {
    expect(await shop.q.resultGroup(id, { wait: "60s" })).toEqual([n, n + 1, n + 2]);
  }
  for (const id of ids) {
    const attempts = await shop.q.attempts(id);
    expect(attempts.filter((attempt) => attempt.ending === "succeeded")).toHaveLength(1);
  }
  await until(() => !isThere(redis, `${projectPrefix("test")}m`), "no unfinished task", limitMs);
  for (const queue of ["media", "mail"]) {
    await until(() => !isThere(redis, `${projectPrefix("test", queue)}m`), `no message of "${queue}"`, limitMs);
  }
  expect(isThere(redis, `${projectPrefix("test")}unsent`)).toBe(false);
});
