import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createQluster, ref } from "qluster";
import { alive, until, workshop } from "../support/workshop.js";
import type { ClusterProcess, Workshop } from "../support/workshop.js";

const limit = { wait: "30s" } as const;

function write(shop: Workshop, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(shop.folder, path)), { recursive: true });
    writeFileSync(join(shop.folder, path), text);
  }
}

function starts(shop: Workshop): { label: string; pid: number }[] {
  const words = shop.trace().map((line) => line.split(" "));
  return words.filter(([word]) => word === "start").map(([, label = "", , pid]) => ({ label, pid: Number(pid) }));
}

/** What `ps` shows. */
function title(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}

describe("tasks are found", () => {
  const money = `
    export enum Currency { Euro = "EUR", Yen = "JPY" }
    export class Price {
      constructor(readonly cents: number, private currency: Currency) {}
      toString(): string { return \`\${this.cents / 100} \${this.currency}\`; }
    }
  `;
  const prices = `
    import { task } from "qluster";
    import { Currency, Price } from "./money.js";
    export async function show(cents: number): Promise<string> { return String(new Price(cents, Currency.Euro)); }
    export default function total(all: readonly number[]): number { return all.reduce((sum, one) => sum + one, 0); }
    export const send = task("mail.send", (to: string) => \`sent to \${to}\`);
    export const version = 3;
  `;

  it("in TypeScript files without a build step, by module path and export name (P060, P061)", async () => {
    await using shop = await workshop({ workers: 1, tasks: ["src/core/**/*.ts", "jobs.mjs"] });
    write(shop, { "src/core/money.ts": money, "src/core/prices.ts": prices });
    await shop.cluster();

    const run = async (name: string, ...args: unknown[]): Promise<unknown> =>
      await shop.q.result(await shop.q.asyncTask(name, ...args), limit);

    expect(await run("core.prices.show", 1250)).toBe("12.5 EUR");
    expect(await run("core.prices", [1, 2, 3])).toBe(6);
    expect(await run("mail.send", "ada")).toBe("sent to ada");
    expect(await run("jobs.add", 1, 2)).toBe(3);
    const [status] = await shop.q.clusters();
    expect(status?.tasks).toEqual(expect.arrayContaining(["core.prices", "core.prices.show", "jobs.add", "mail.send"]));
    expect(status?.tasks).not.toContain("core.prices.version");
  });

  it("among the functions of Math, by name and by the function itself (P061)", async () => {
    await using shop = await workshop({ workers: 1 });
    await shop.cluster();

    expect(await shop.q.result(await shop.q.asyncTask("Math.hypot", 3, 4), limit)).toBe(5);
    expect(await shop.q.result(await shop.q.asyncTask(Math.max, 3, 4), limit)).toBe(4);
  });

  it("among programs, where a task module exports them; a time-out stops the program (P008, P203, P429)", async () => {
    await using shop = await workshop({ workers: 1, attempts: 1 }, '\nexport { run, output } from "qluster/shell";');
    await shop.cluster();
    const { asyncTask, fetch, result } = shop.q;
    const node = process.execPath;

    expect(await result(await asyncTask("shell.output", node, ["-p", "6 * 7"]), limit)).toBe("42\n");
    expect(await result(await asyncTask("shell.run", node, ["-e", "process.exit(3)"]), limit)).toBe(3);
    const file = join(shop.folder, "pid");
    const script = `require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => {}, 1e3)`;
    const id = await asyncTask(ref("shell.run", { timeout: "2s" }), node, ["-e", script]);
    expect(await fetch(id, limit)).toMatchObject({ success: false, error: { name: "TaskTimeoutError" } });
    await until(() => !alive(Number(readFileSync(file, "utf8"))), "the program to end");
  });

  it("in workers only: the supervisor loads none of the application's code (P282)", async () => {
    await using shop = await workshop({ workers: 2 }, "\ntrace('loaded ' + process.pid + ' ' + process.ppid);");
    const cluster = await shop.cluster();

    const loaded = shop.trace().map((line) => line.split(" ").slice(1).map(Number));

    expect(loaded.map(([pid]) => pid).sort()).toEqual(cluster.workers().sort());
    expect(loaded.every(([, parent]) => parent === cluster.pid)).toBe(true);
  });

  it("or the cluster does not start: a module that throws is named, with the cause (P284)", async () => {
    await using shop = await workshop({ workers: 2, tasks: ["jobs.mjs", "broken.mjs"] });
    write(shop, { "broken.mjs": "throw new TypeError('no such table: reviews');" });
    const id = await shop.q.asyncTask("jobs.add", 1, 2);
    const cluster = await shop.cluster({ noWait: true });
    await until(() => cluster.workers().length > 0 || !alive(cluster.pid), "its workers");
    const workers = cluster.workers();

    expect(await cluster.exited).not.toBe(0);

    const said = cluster.log.map((line) => line.msg).join("\n");
    expect(said).toMatch(/broken\.mjs could not be loaded: TypeError: no such table: reviews/);
    expect(workers.some(alive)).toBe(false);
    expect(await shop.q.status(id)).toMatchObject({ state: "queued", attempts: 0 });
  });

  it("also in modules that take longer to load than a lease", async () => {
    await using shop = await workshop({ workers: 1, lease: "1500ms" }, "\nawait sleep(3_000);");
    const cluster = await shop.cluster();

    expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), limit)).toBe(3);
    expect(cluster.log.filter((line) => line.level >= 50)).toEqual([]);
  });
});

describe("a cluster shows", () => {
  it("what each worker does in its process title (P314)", async () => {
    await using shop = await workshop({ workers: 1 });
    const cluster = await shop.cluster();
    const [worker] = cluster.workers();
    const idle = title(worker!);
    const options = { taskName: "a rather long name of a task", group: "moderation" } as const;
    const id = await shop.q.asyncTask(ref("jobs.traced", options), "titled", 1_500);
    await until(() => title(worker!).includes("processing"), "another title");
    const busy = title(worker!);
    await shop.q.result(id, limit);
    await until(() => title(worker!).endsWith("idle"), "the first title");

    expect(idle).toBe("qcluster test idle");
    expect(busy).toBe("qcluster test processing a rather long name of a task 'jobs.traced' [moderation]");
    expect(title(cluster.pid)).toBe("qcluster test supervisor");
  });

  it("its life in Django Q2's words (P415)", async () => {
    await using shop = await workshop({ workers: 1, attempts: 1 });
    const cluster = await shop.cluster();
    const good = await shop.q.asyncTask(ref("jobs.traced", { taskName: "good", group: "g" }), "good");
    await shop.q.fetch(good, limit);
    const bad = await shop.q.asyncTask(ref("jobs.fails", { taskName: "bad" }), "bad");
    await shop.q.fetch(bad, limit);
    await cluster.says(/Failed \[bad\]/);
    cluster.kill("SIGTERM");
    await cluster.exited;

    const expected = [
      /^Q Cluster [a-z]+-[a-z]+-[a-z]+-[a-z]+ starting\.$/,
      /^Process-1 ready for work at \d+$/,
      /^Supervisor guarding cluster [a-z-]+ \[test\]$/,
      /^Q Cluster [a-z-]+ running\.$/,
      /^Process-1 processing good 'jobs\.traced' \[g\]$/,
      /^Processed \[good\]$/,
      /^Process-1 processing bad 'jobs\.fails'$/,
      /^Failed \[bad\] - boom bad$/,
      /^Q Cluster [a-z-]+ stopping\.$/,
      /^Supervisor stopped pushing tasks$/,
      /^Supervisor waiting for the monitor\.$/,
      /^Q Cluster [a-z-]+ has stopped\.$/,
    ];
    expect(inOrder(cluster, expected)).toEqual([]);
    const processed = cluster.log.find((line) => line.msg === "Processed [good]");
    expect(processed).toMatchObject({
      taskId: good,
      task: "jobs.traced",
      queue: "test",
      durationMs: expect.any(Number),
    });
  });

  it("where it stands: Starting, Idle, Working with what runs, Stopping, and then nothing (P285, P323, P324, P325, P326)", async () => {
    await using shop = await workshop({ workers: 1, lease: "1500ms" }, "\nawait sleep(1_500);");
    const before = Date.now();
    const cluster = await shop.cluster({ noWait: true });
    const reach = async (status: string) => {
      const read = async () => (await shop.q.clusters()).find((each) => each.status === status);
      await until(read, `the status ${status}`);
      return (await read())!;
    };

    await reach("Starting");
    const idle = await reach("Idle");
    const id = await shop.q.asyncTask("jobs.traced", "shown", 4_000);
    const working = await reach("Working");
    cluster.kill("SIGTERM");
    const stopping = await reach("Stopping");
    await cluster.exited;

    expect(idle).toMatchObject({
      name: "test",
      pid: cluster.pid,
      host: expect.any(String),
      queues: ["test"],
      isolation: "process",
      reincarnations: 0,
      taskQueueSize: 0,
      doneQueueSize: 0,
      running: [],
      tasks: expect.arrayContaining(["jobs.traced"]),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      workers: [{ state: "idle", pid: expect.any(Number), rssBytes: expect.any(Number) }],
    });
    expect(idle.clusterId).toMatch(/^[0-9a-f]{32}$/);
    expect(idle.tob).toBeGreaterThanOrEqual(before);
    expect(idle.rssBytes).toBeGreaterThan(10_000_000);
    expect(working).toMatchObject({ clusterId: idle.clusterId, running: [{ id }], workers: [{ state: "busy" }] });
    expect(stopping).toMatchObject({ clusterId: idle.clusterId, running: [{ id }] });
    expect(await shop.q.clusters()).toEqual([]);
  });
});

describe.each(["process", "thread", "none"] as const)("isolation %s", (isolation) => {
  it("does the same: results, retries, time-outs, hooks, cancels, progress, and a clean stop", async () => {
    const tasks = "\nexport const echo = (value) => value;";
    await using shop = await workshop({ isolation, workers: 2, attempts: 2, backoff: { base: "20ms" } }, tasks);
    const cluster = await shop.cluster();
    const { asyncTask, fetch } = shop.q;

    const value = { when: new Date(0), big: 10n, set: new Set([1]) };
    const [good, bad, slow, cancelled, reports, hooked] = [
      await asyncTask("jobs.echo", value),
      await asyncTask("jobs.fails", "bad"),
      await asyncTask(ref("jobs.obeys", { timeout: "200ms" }), "slow"),
      await asyncTask("jobs.obeys", "cancelled"),
      await asyncTask("jobs.reports"),
      await asyncTask(ref("jobs.add", { hook: "jobs.hook" }), 20, 22),
    ];
    await until(() => starts(shop).some(({ label }) => label === "cancelled"), "it to start");
    await shop.q.cancel(cancelled);

    expect(await fetch(good, limit)).toMatchObject({ success: true, result: value });
    expect(await fetch(bad, limit)).toMatchObject({ success: false, attempts: 2, error: { message: "boom bad" } });
    expect(await fetch(slow, limit)).toMatchObject({ attempts: 2, error: { name: "TaskTimeoutError" } });
    expect(await fetch(cancelled, limit)).toMatchObject({ success: false, error: { name: "TaskAbortedError" } });
    expect(await fetch(reports, limit)).toMatchObject({ success: true });
    await until(async () => (await shop.q.status(reports))?.notes.log.length === 3, "three lines");
    await until(() => shop.trace().includes(`hook ${hooked} true 42`), "the hook");
    const inside = starts(shop).every(({ pid }) => (pid === cluster.pid) === (isolation !== "process"));
    expect(inside).toBe(true);

    const last = await asyncTask("jobs.traced", "last", 800);
    await until(() => starts(shop).some(({ label }) => label === "last"), "the last one to start");
    cluster.kill("SIGTERM");
    expect(await cluster.exited).toBe(0);
    expect(await fetch(last)).toMatchObject({ success: true, result: "last", attempts: 1 });
  });
});

it("sync mode runs a task in this process, through the same store (P084, P086)", async () => {
  await using shop = await workshop({ attempts: 3 });
  await using q = createQluster({ ...shop.config, sync: true }, { root: shop.folder });
  await q.loadTasks();

  const good = await q.asyncTask("jobs.traced", "here");
  const failing = q.asyncTask(ref("jobs.fails", { taskName: "failing", hook: "jobs.hook" }), "here");

  await expect(failing).rejects.toThrow("boom here");
  expect(starts(shop).every(({ pid }) => pid === process.pid)).toBe(true);
  expect(await shop.q.fetch(good)).toMatchObject({ success: true, result: "here" });
  expect(await shop.q.fetch("failing")).toMatchObject({ success: false, attempts: 1, error: { message: "boom here" } });
  expect(shop.trace().at(-1)).toMatch(/^hook [0-9a-f]+ false boom here$/);
});

/** The first of the patterns that no later line fits; empty when all come in this order. */
function inOrder(cluster: ClusterProcess, patterns: readonly RegExp[]): RegExp[] {
  const left = [...patterns];
  for (const { msg } of cluster.log) if (left[0]?.test(msg)) left.shift();
  return left.slice(0, 1);
}
