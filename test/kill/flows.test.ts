import { expect, it } from "vitest";
import { link, parallel, previous, ref } from "qluster";
import { memberId } from "../../src/core/flow.js";
import { until, workshop } from "../support/workshop.js";
import type { ClusterProcess, Workshop } from "../support/workshop.js";

const chains = 500;
const iterables = 50;
const elements = 200;
const batches = 50;
const batchSize = 20;
const list = Array.from({ length: elements }, (_, n) => n);

const extra = `
export async function step(before, label) { await sleep(2); return [...(before ?? []), label]; }
export async function square(n) { if (n % 20 === 0) await sleep(5); return n * n; }
export async function done(finished) { trace(["done", finished.id, currentTask().id].join(" ")); }
`;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Two clusters, of which somebody kills workers and whole supervisors, until `isOver`. */
async function rampage(shop: Workshop, seed: number, isOver: () => boolean): Promise<number> {
  const next = random(seed);
  const start = async (): Promise<ClusterProcess> =>
    await shop.cluster({ args: ["--log-level", "error"], noWait: true });
  const clusters = await Promise.all([start(), start()]);
  let kills = 0;
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, 200 + next() * 600));
    const place = next() < 0.5 ? 0 : 1;
    const cluster = clusters[place]!;
    const workers = cluster.workers();
    if (next() < 0.25) {
      cluster.kill("SIGKILL");
      await cluster.exited;
      clusters[place] = await start();
    } else if (workers.length > 0) process.kill(workers[Math.floor(next() * workers.length)]!, "SIGKILL");
    kills += 1;
    if (kills > 600) throw new Error("600 kills, and it is not over.");
  }
  return kills;
}

/** The tasks that have called the end of a flow, by flow. A task that was killed calls again. */
function callsOf(shop: Workshop): Map<string, Set<string>> {
  const calls = new Map<string, Set<string>>();
  for (const line of shop.trace()) {
    const [word, flow = "", task = ""] = line.split(" ");
    if (word === "done") calls.set(flow, (calls.get(flow) ?? new Set()).add(task));
  }
  return calls;
}

async function openFlows({ q }: Workshop): Promise<{ chainIds: string[]; iterIds: string[]; batchIds: string[] }> {
  const last = link(ref("jobs.step", { save: false }), previous(), "d");
  const steps = [
    link("jobs.step", null, "a"),
    link("jobs.step", previous(), "b"),
    parallel([link("jobs.step", previous(), "c"), last]),
    link("jobs.step", previous(), "e"),
  ];
  const chainIds = await Promise.all(
    Array.from({ length: chains }, () => q.asyncChain(steps, { onComplete: "jobs.done" })),
  );
  const iterIds = await Promise.all(
    Array.from({ length: iterables }, () => q.asyncIter("jobs.square", list, { hook: "jobs.done" })),
  );
  const batchIds = await Promise.all(
    Array.from({ length: batches }, async (_, n) => {
      const batch = await q.batch(`b${n}`, { size: batchSize, onComplete: "jobs.done" });
      await q.asyncTasks(Array.from({ length: batchSize }, (_each, i) => link(ref("jobs.square", { batch }), i)));
      return batch.id;
    }),
  );
  return { chainIds, iterIds, batchIds };
}

it("survives kills of workers and supervisors: every link, element and member once, every end called once (P127, P140, P141, P153)", async () => {
  await using shop = await workshop(
    { attempts: 0, workers: 2, lease: "1s", backoff: { base: "1ms", jitter: 0 } },
    extra,
  );
  const { q } = shop;
  const { chainIds, iterIds, batchIds } = await openFlows(shop);
  const flows = [...chainIds, ...iterIds, ...batchIds];

  const kills = await rampage(shop, 7, () => callsOf(shop).size >= flows.length);
  await until(async () => (await q.queueSize()) === 0, "an empty queue");

  expect(kills).toBeGreaterThan(10);
  const calls = callsOf(shop);
  expect([...calls.keys()].toSorted()).toEqual(flows.toSorted());
  // Every end is called by one task of its own, which succeeds once.
  for (const [flow, tasks] of calls) {
    const [task = ""] = tasks;
    expect([...tasks], `tasks that were called by ${flow}`).toHaveLength(1);
    await until(async () => (await q.status(task))?.state === "succeeded", "the last task of a flow to end");
    expect(await successes(shop, task)).toBe(1);
  }
  for (const id of chainIds) await checkChain(shop, id);
  for (const id of iterIds) expect(await q.result(id)).toEqual(list.map((n) => n * n));
  for (const [n, id] of batchIds.entries()) {
    expect(await q.result(id)).toEqual({ size: batchSize });
    expect(await q.countGroup(`b${n}`)).toBe(batchSize);
  }
});

async function successes({ q }: Workshop, task: string): Promise<number> {
  return (await q.attempts(task)).filter(({ ending }) => ending === "succeeded").length;
}

/** Each link has run once to its end, on the result of the one before, and so it is stored. */
async function checkChain(shop: Workshop, id: string): Promise<void> {
  expect(await shop.q.resultGroup(id)).toEqual([
    ["a"],
    ["a", "b"],
    [
      ["a", "b", "c"],
      ["a", "b", "d"],
    ],
    [["a", "b", "c"], ["a", "b", "d"], "e"],
  ]);
  expect((await shop.q.flow(id))?.done).toBe(5);
  // The fourth leaves no record of its own.
  const counts = await Promise.all([0, 1, 2, 4].map((place) => successes(shop, memberId(id, place, 0))));
  expect(counts).toEqual([1, 1, 1, 1]);
}
