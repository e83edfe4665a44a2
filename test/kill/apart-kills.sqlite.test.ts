import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { connectTo, rowsOf } from "../support/sqlite-file.js";
import { startRedis } from "../support/redis.js";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const tasks = 500;
const kills = 25;

/** The last tasks wait for up to three leases after the last kill. */
const limitMs = 120_000;

/** A seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function enqueueAll(shop: Workshop): Promise<string[]> {
  const { link, ref } = await import("qluster");
  const ids: string[] = [];
  for (let from = 0; from < tasks; from += 100) {
    const batch = Array.from({ length: 100 }, (_, n) =>
      link(ref("jobs.traced", { hook: "jobs.hook" }), `t${from + n}`, n % 10 === 0 ? 20 : 2),
    );
    ids.push(...(await shop.q.asyncTasks(batch)));
  }
  return ids;
}

function hooksRun(shop: Workshop): Set<string> {
  const lines = shop.trace().filter((line) => line.startsWith("hook "));
  return new Set(lines.map((line) => line.split(" ")[1]!));
}

/** Kills the cluster at random moments, and starts another one. The last one goes on. */
async function killAgainAndAgain(shop: Workshop, seed: number, then: (kill: number) => unknown): Promise<void> {
  const next = random(seed);
  for (let kill = 0; kill < kills; kill += 1) {
    const cluster = await shop.cluster({ args: ["--log-level", "error"], noWait: true });
    const started = shop.trace().length;
    const more = Math.min(started + 1 + Math.floor(next() * 60), 2 * tasks - 1);
    await until(() => shop.trace().length >= more || hooksRun(shop).size === tasks, "more tasks to start");
    cluster.kill("SIGKILL");
    await cluster.exited;
    then(kill);
  }
  await shop.cluster({ args: ["--log-level", "error"], noWait: true });
}

/** One success for each task, each hook run, both on record, and nothing left that is neither. */
async function checkAll(shop: Workshop, ids: readonly string[]): Promise<void> {
  await until(() => hooksRun(shop).size === tasks, "every hook to run", limitMs);
  await untilEmpty(shop, "q.db");
  for (const id of ids) {
    const attempts = await shop.q.attempts(id);
    expect(attempts.filter((attempt) => attempt.ending === "succeeded")).toHaveLength(1);
  }
  const store = connectTo(join(shop.folder, "q.db"));
  expect(rowsOf(store, "SELECT kind, state, count(*) AS n FROM qluster_task GROUP BY 1, 2 ORDER BY 1")).toEqual([
    { kind: "hook", state: "succeeded", n: tasks },
    { kind: "task", state: "succeeded", n: tasks },
  ]);
}

it("survives kills of the whole cluster with a broker elsewhere: one success for each task, each hook run and on record", async () => {
  await using shop = await workshop({ broker: "sqlite:broker.db", attempts: 0, workers: 2, lease: "1s" });
  const ids = await enqueueAll(shop);

  await killAgainAndAgain(shop, 7, () => {});

  await checkAll(shop, ids);
  // What a dead cluster held in the broker comes again, and goes: the store says that it has ended.
  await untilEmpty(shop, "broker.db");
});

it("survives that Redis, as its broker, loses everything between the kills", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await using shop = await workshop({ broker: redis.url, attempts: 0, workers: 2, lease: "1s" });
  const ids = await enqueueAll(shop);

  await killAgainAndAgain(shop, 8, (kill) => kill % 8 === 3 && redis.cli("flushall"));

  await checkAll(shop, ids);
});

it("survives kills with Redis as its database: one success for each task, each hook run, no time to send left", async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const config = { database: redis.url, broker: "sqlite:broker.db" };
  await using shop = await workshop({ ...config, attempts: 0, workers: 2, lease: "1s" });
  const ids = await enqueueAll(shop);
  const ask = (command: string, key: string): number => Number(redis.cli(command, `{qluster:test}:${key}`));

  await killAgainAndAgain(shop, 9, () => {});

  await until(() => hooksRun(shop).size === tasks, "every hook to run", limitMs);
  await until(() => ask("hlen", "m") === 0, "no unfinished task in Redis", limitMs);
  for (const id of ids) {
    const attempts = await shop.q.attempts(id);
    expect(attempts.filter((attempt) => attempt.ending === "succeeded")).toHaveLength(1);
  }
  expect([ask("zcard", "done:ts"), ask("zcard", "done:hs"), ask("exists", "unsent")]).toEqual([tasks, tasks, 0]);
  await untilEmpty(shop, "broker.db");
});

/** Waits until a file holds no unfinished task, or no message. */
async function untilEmpty(shop: Workshop, file: string): Promise<void> {
  const database = connectTo(join(shop.folder, file));
  const left = (): number => rowsOf<{ n: number }>(database, "SELECT count(*) AS n FROM qluster_message")[0]?.n ?? -1;
  await until(() => left() === 0, `no message in ${file}`, limitMs);
}
