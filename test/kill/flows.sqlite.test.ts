import { join } from "node:path";
import { expect, it } from "vitest";
import { link, parallel, previous, ref } from "qluster";
import { connectTo, rowsOf } from "../support/sqlite-file.js";
import { until, workshop } from "../support/workshop.js";
import type { ClusterProcess, Workshop } from "../support/workshop.js";

const chains = 50;
const iterables = 5;
const elements = 200;
const batches = 10;
const batchSize = 20;

const extra = `
export async function step(before, label) { await sleep(2); return [...(before ?? []), label]; }
export async function square(n) { if (n % 20 === 0) await sleep(5); return n * n; }
export async function done(finished) { trace(["done", finished.id].join(" ")); }
`;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Two clusters, of which somebody kills workers and whole supervisors, until `isOver`. */
async function rampage(shop: Workshop, seed: number, isOver: () => Promise<boolean>): Promise<number> {
  const next = random(seed);
  const start = async (): Promise<ClusterProcess> =>
    await shop.cluster({ args: ["--log-level", "error"], noWait: true });
  const clusters = await Promise.all([start(), start()]);
  let kills = 0;
  while (!(await isOver())) {
    await new Promise((resolve) => setTimeout(resolve, 100 + next() * 400));
    const place = next() < 0.5 ? 0 : 1;
    const cluster = clusters[place]!;
    const workers = cluster.workers();
    if (next() < 0.25) {
      cluster.kill("SIGKILL");
      await cluster.exited;
      clusters[place] = await start();
    } else if (workers.length > 0) process.kill(workers[Math.floor(next() * workers.length)]!, "SIGKILL");
    kills += 1;
    if (kills > 400) throw new Error("400 kills, and it is not over.");
  }
  return kills;
}

it("survives kills of workers and supervisors: every link, element and member once, every end called once (P127, P140, P141, P153)", async () => {
  await using shop = await workshop(
    { attempts: 0, workers: 2, lease: "1s", backoff: { base: "1ms", jitter: 0 } },
    extra,
  );
  const { q } = shop;
  const chainIds = await Promise.all(
    Array.from({ length: chains }, () =>
      q.asyncChain(
        [
          link("jobs.step", null, "a"),
          link("jobs.step", previous(), "b"),
          parallel([link("jobs.step", previous(), "c"), link(ref("jobs.step", { save: false }), previous(), "d")]),
          link("jobs.step", previous(), "e"),
        ],
        { onComplete: "jobs.done" },
      ),
    ),
  );
  const list = Array.from({ length: elements }, (_, n) => n);
  const iterIds = await Promise.all(
    Array.from({ length: iterables }, () => q.asyncIter("jobs.square", list, { hook: "jobs.done" })),
  );
  const batchIds: string[] = [];
  for (let n = 0; n < batches; n++) {
    const batch = await q.batch(`b${n}`, { size: batchSize, onComplete: "jobs.done" });
    batchIds.push(batch.id);
    await q.asyncTasks(Array.from({ length: batchSize }, (_, i) => link(ref("jobs.square", { batch }), i)));
  }
  const flows = [...chainIds, ...iterIds, ...batchIds];
  const database = connectTo(join(shop.folder, "q.db"));
  const rows = <Row>(sql: string): Row[] => rowsOf<Row>(database, sql);
  const count = (sql: string): number => rows<{ n: number }>(`SELECT count(*) AS n FROM ${sql}`)[0]?.n ?? 0;

  const hooks = "qluster_task WHERE kind = 'hook' AND state = 'succeeded'";
  const kills = await rampage(shop, 7, async () => count(hooks) >= flows.length);
  await until(async () => (await q.queueSize()) === 0, 60_000, "an empty queue");

  expect(kills).toBeGreaterThan(5);
  // Every end is called by one task of its own, which has succeeded once.
  expect(count("qluster_task WHERE kind = 'hook'")).toBe(flows.length);
  const parents = rows<{ parent: string }>(`SELECT parent FROM ${hooks}`).map(({ parent }) => parent);
  expect(parents.toSorted()).toEqual(flows.toSorted());
  for (const id of chainIds) {
    expect(await q.resultGroup(id)).toEqual([
      ["a"],
      ["a", "b"],
      [
        ["a", "b", "c"],
        ["a", "b", "d"],
      ],
      [["a", "b", "c"], ["a", "b", "d"], "e"],
    ]);
    expect((await q.flow(id))?.done).toBe(5);
  }
  for (const id of iterIds) expect(await q.result(id)).toEqual(list.map((n) => n * n));
  for (const [n, id] of batchIds.entries()) {
    expect(await q.result(id)).toEqual({ size: batchSize });
    expect(await q.countGroup(`b${n}`)).toBe(batchSize);
  }
  // One success of each link that leaves a record, and no other record of it.
  const links = rows<{ id: string; state: string }>(
    `SELECT id, state FROM qluster_task WHERE member IS NOT NULL AND func = 'jobs.step'`,
  );
  expect(links).toHaveLength(chains * 4);
  for (const { id, state } of links) {
    expect(state).toBe("succeeded");
    expect((await q.attempts(id)).filter(({ ending }) => ending === "succeeded")).toHaveLength(1);
  }
  expect(shop.trace().filter((line) => line.startsWith("done")).length).toBeGreaterThanOrEqual(flows.length);
});
