import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { link, parallel, previous, ref, type QlusterConfig } from "qluster";
import { makeFolder } from "../cli/run-cli.js";
import { startRedisCluster, type RedisCluster } from "../support/redis.js";
import { until, workshop, type Workshop } from "../support/workshop.js";

const wait = { wait: "60s" } as const;
const extra = `
export function square(n) { return n * n; }
export function complete(finished) { trace("complete " + JSON.stringify(finished.result)); }
export function failsOnce(label) { started(label); if (currentTask().attempt === 1) throw new Error("once"); return label; }
`;
let redis: RedisCluster;
let projects = 0;

beforeAll(async () => {
  redis = await startRedisCluster();
}, 60_000);
afterAll(() => redis.stop());

/** A project with two queues in slots of their own, and one in the project's. */
async function shopOf(more: Partial<QlusterConfig> = {}): Promise<Workshop> {
  const name = `slots${++projects}`;
  const queues = { [name]: 1, media: { apart: true }, mail: { apart: true, weight: 2 } };
  return await workshop({ name, database: redis.url, queues, ...more }, extra);
}

describe("a project with queues in slots of their own", () => {
  it("keeps what it promises of tasks: hooks, delays, retries, unique keys, cancelling, dead letters", async () => {
    await using shop = await shopOf({ attempts: 2, unknownFor: "1s" });
    const { asyncTask, fetch, result, cancel, queueSize } = shop.q;
    const media = { queue: "media" } as const;
    const waiting = await asyncTask(ref("jobs.add", { ...media, unique: "one" }), 1, 2);
    const same = await asyncTask(ref("jobs.add", { queue: "mail", unique: "one" }), 1, 2);
    const late = await asyncTask(ref("jobs.traced", { ...media, delay: "700ms" }), "late");
    const gone = await asyncTask(ref("jobs.traced", media), "gone");
    const unknown = await asyncTask(ref("jobs.nowhere", { queue: "mail" }));
    expect(await cancel(gone)).toBe("cancelled");
    expect([await queueSize("media"), await queueSize("mail"), await queueSize()]).toEqual([2, 1, 3]);

    await shop.cluster();

    expect(same).toBe(waiting);
    expect(await result(waiting, wait)).toBe(3);
    expect(await result(late, wait)).toBe("late");
    const hooked = await asyncTask(ref("jobs.failsOnce", { ...media, hook: "jobs.hook" }), "again");
    expect(await fetch(hooked, wait)).toMatchObject({ success: true, attempts: 2 });
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${hooked} true`)), "the hook");
    const failing = await asyncTask(ref("jobs.fails", media), "failing");
    expect(await fetch(failing, wait)).toMatchObject({ success: false, attempts: 2 });
    const running = await asyncTask(ref("jobs.obeys", { queue: "mail" }), "running");
    await until(() => shop.trace().some((line) => line.startsWith("start running")), "the task to start");
    expect(await cancel(running)).toBe("requested");
    expect(await fetch(running, wait)).toMatchObject({ success: false });
    expect(await fetch(unknown, wait)).toMatchObject({ success: false });
    expect(await queueSize()).toBe(0);
    expect(shop.trace().filter((line) => line.startsWith("start gone"))).toEqual([]);
  });

  it("runs chains, iterables, batches, groups and schedules over queues of both kinds (P131, P136, P153)", async () => {
    await using shop = await shopOf();
    await shop.cluster();
    const { q } = shop;
    const home = shop.config.name;

    const chain = await q.asyncChain([
      link(ref("jobs.add", { queue: "media" }), 1, 2),
      parallel([link(ref("jobs.square", { queue: "mail" }), 3), link(ref("jobs.square", { queue: home }), 4)]),
      link(ref("jobs.add", { queue: "media" }), 5, 6),
      link(ref("jobs.square", { queue: home }), previous()),
    ]);
    const iter = await q.asyncIter(ref("jobs.square", { queue: "media" }), [3, 1, 2]);
    const batch = await q.batch("nightly", { size: 3, onComplete: "jobs.complete" });
    await q.asyncTasks(
      ["media", "mail", home].map((queue) => link(ref("jobs.add", { queue, batch, group: "nightly" }), 1, 1)),
    );
    const schedule = await q.schedule(ref("jobs.traced", { queue: "mail" }), {
      type: "ONCE",
      nextRun: new Date(Date.now() + 1_500),
      args: ["scheduled"],
    });

    expect(await q.resultGroup(chain, wait)).toEqual([3, [9, 16], 11, 121]);
    expect(await q.result(iter, wait)).toEqual([9, 1, 4]);
    expect(await q.resultGroup("nightly", { count: 3, ...wait })).toEqual([2, 2, 2]);
    const lines = (word: string): string[] => shop.trace().filter((line) => line.startsWith(word));
    await until(() => lines("complete").length === 1, "the call of the batch");
    await until(() => lines("start scheduled").length === 1, `the run of schedule ${schedule.id}`);
    expect(lines("complete")).toEqual(['complete {"size":3}']);
  });

  it("starts a link as soon as the one before has ended, not when somebody looks", async () => {
    await using shop = await shopOf();
    await shop.cluster();
    const links = Array.from({ length: 8 }, (_, n) => link(ref("jobs.add", { queue: "media" }), n, 1));
    await shop.q.resultGroup(await shop.q.asyncChain(links), wait);

    const start = performance.now();
    await shop.q.resultGroup(await shop.q.asyncChain(links), wait);

    // Clusters look by themselves once a second.
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  it("gives back what it holds when it stops, and starts again elsewhere after a kill", async () => {
    await using shop = await shopOf({ lease: "1s", workers: 1 });
    const first = await shop.cluster();
    const ids: string[] = [];
    for (const queue of ["media", "mail", shop.config.name]) {
      ids.push(await shop.q.asyncTask(ref("jobs.traced", { queue }), queue, 300));
    }
    await until(() => shop.trace().length === 1, "the first task to start");
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    const second = await shop.cluster();
    ids.push(await shop.q.asyncTask(ref("jobs.traced", { queue: "media" }), "killed", 1_500));
    await until(() => shop.trace().some((line) => line.startsWith("start killed")), "the last one to start");
    second.kill("SIGKILL");
    await second.exited;
    await shop.cluster();

    for (const id of ids) expect(await shop.q.fetch(id, wait)).toMatchObject({ success: true });
  });

  it("is told of in info, doctor and config print, and a cluster of one queue knows the others (P322)", async () => {
    await using shop = await shopOf();
    const { name, queues, secret } = shop.config;
    using folder = makeFolder({
      "qluster.config.json": JSON.stringify({ name, database: redis.url, queues, secret, tasks: [] }),
    });
    const cluster = await shop.cluster({ args: ["--queues", name] });
    const id = await shop.q.asyncTask(ref("jobs.add", { queue: "media" }), 1, 2);

    const [info, doctor, print] = await Promise.all([
      folder.run("info"),
      folder.run("doctor"),
      folder.run("config", "print"),
    ]);
    expect(info.stdout).toMatch(/3 primaries.*in slots of their own: media, mail/);
    expect(doctor.stdout).toMatch(/in slots of their own: media, mail/);
    expect(print.stdout).toMatch(new RegExp(`${name}, media, mail=2; apart: media, mail`));
    cluster.kill("SIGTERM");
    await cluster.exited;
    await shop.cluster({ args: ["--queues", "media"] });
    expect(await shop.q.result(id, wait)).toBe(3);
  });
});
