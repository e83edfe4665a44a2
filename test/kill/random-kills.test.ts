import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { AttemptRecord } from "qluster/contracts";
import { alive, until, workshop } from "../support/workshop.js";
import type { ClusterProcess, Workshop } from "../support/workshop.js";

const tasks = 5_000;

/** Every start that a task told of, by task. */
function startsOf(shop: Workshop): Map<string, { pid: number; at: number }[]> {
  const starts = new Map<string, { pid: number; at: number }[]>();
  for (const line of shop.trace()) {
    const [kind, , id, pid, at] = line.split(" ");
    if (kind !== "start") continue;
    const list = starts.get(id!) ?? [];
    list.push({ pid: Number(pid), at: Number(at) });
    starts.set(id!, list);
  }
  return starts;
}

/** A seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function enqueueAll(shop: Workshop, ms: number): Promise<string[]> {
  const { link } = await import("qluster");
  const ids: string[] = [];
  for (let from = 0; from < tasks; from += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, n) => link("jobs.traced", `t${from + n}`, n % 10 === 0 ? 20 : ms));
    ids.push(...(await shop.q.asyncTasks(batch)));
  }
  return ids;
}

/** Waits until tasks have started so often again, so that a kill comes at a random moment of the work. */
async function moreStarts(shop: Workshop, count: number): Promise<void> {
  const file = join(shop.folder, "trace.log");
  // A line has about 60 bytes; reading the size is cheap enough to do it often.
  const size = (): number => (existsSync(file) ? statSync(file).size : 0);
  const wanted = size() + count * 60;
  await until(() => size() >= wanted, `${count} more tasks to start`);
}

async function finishedCount(shop: Workshop, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (let from = 0; from < ids.length; from += 500) {
    const states = await Promise.all(ids.slice(from, from + 500).map(async (id) => await shop.q.status(id)));
    count += states.filter((status) => status?.state === "succeeded").length;
  }
  return count;
}

/** No start after the end of the success, and each start of the trace has its record. */
async function check(shop: Workshop, ids: readonly string[], missingAllowed: number): Promise<AttemptRecord[]> {
  const starts = startsOf(shop);
  const all: AttemptRecord[] = [];
  let missing = 0;
  for (const id of ids) {
    const attempts = await shop.q.attempts(id);
    all.push(...attempts);
    const success = attempts.find((attempt) => attempt.ending === "succeeded");
    expect(success, `a success of ${id}`).toBeDefined();
    expect(attempts.filter((attempt) => attempt.ending === "succeeded")).toHaveLength(1);
    const traced = starts.get(id) ?? [];
    expect(
      traced.filter(({ at }) => at > success!.stoppedAt + 50),
      `starts of ${id} after its success`,
    ).toEqual([]);
    missing += Math.max(0, traced.length - attempts.length);
  }
  expect(missing, "starts without a record").toBeLessThanOrEqual(missingAllowed);
  return all;
}

it("survives 200 kills of workers at random moments: every task has its result, every killed attempt its signal", async () => {
  await using shop = await workshop({ attempts: 0, workers: 4, backoff: { base: "1ms", jitter: 0 } });
  const cluster = await shop.cluster({ args: ["--log-level", "error"], noWait: true });
  await until(() => cluster.workers().length === 4, "four workers");
  const ids = await enqueueAll(shop, 2);
  const next = random(1);

  const killed = new Set<number>();
  while (killed.size < 200) {
    await moreStarts(shop, Math.floor(next() * 40));
    const workers = cluster.workers().filter((pid) => !killed.has(pid));
    const victim = workers[Math.floor(next() * workers.length)];
    if (victim === undefined) continue;
    process.kill(victim, "SIGKILL");
    killed.add(victim);
  }
  await until(async () => (await shop.q.queueSize()) === 0, "an empty queue", 120_000);
  await until(async () => (await finishedCount(shop, ids)) === tasks, "every task to succeed");

  const attempts = await check(shop, ids, 0);
  const died = attempts.filter((attempt) => attempt.ending === "died");
  expect(died.length).toBeGreaterThan(20);
  for (const attempt of died) {
    expect(attempt.error?.message).toContain("SIGKILL");
    expect(killed.has(Number(attempt.worker.split(":").at(-1)))).toBe(true);
  }
  // Each killed worker held one started task at the most: nobody else was charged.
  expect(died.length).toBeLessThanOrEqual(killed.size);
});

it("survives 50 kills of the supervisor at random moments, and leaves no worker behind", async () => {
  await using shop = await workshop({ attempts: 0, workers: 2, lease: "1s" });
  const ids = await enqueueAll(shop, 10);
  const next = random(2);
  const orphans: number[] = [];

  for (let kill = 0; kill < 50; kill += 1) {
    const cluster: ClusterProcess = await shop.cluster({ args: ["--log-level", "error"], noWait: true });
    await moreStarts(shop, Math.floor(next() * 60));
    orphans.push(...cluster.workers());
    cluster.kill("SIGKILL");
    await cluster.exited;
  }
  await shop.cluster({ args: ["--log-level", "error"], noWait: true });
  await until(async () => (await finishedCount(shop, ids)) === tasks, "every task to succeed", 180_000);

  // A start that no heartbeat had named yet leaves no record: what ran at each kill, and what had ended and was not stored.
  await check(shop, ids, 50 * 2 * 4);
  expect(orphans.filter(alive)).toEqual([]);
});
