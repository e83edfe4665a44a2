import { afterEach, describe, expect, it } from "vitest";
import { memoryBackend } from "../backends/memory/index.js";
import type { Backend } from "../contracts/backend.js";
import type { Logger } from "../contracts/logger.js";
import type { Schedules } from "../contracts/schedules.js";
import { createQluster } from "../client/create-qluster.js";
import type { Schedule } from "../client/schedule-types.js";
import type { Qluster } from "../client/types.js";
import { StoreUnavailableError } from "../errors.js";
import { Alarm } from "./alarm.js";
import { Outage } from "./outage.js";
import { Scheduler } from "./scheduler.js";

const secret = "a secret for tests only";
const running: Scheduler[] = [];

afterEach(() => {
  for (const scheduler of running.splice(0)) scheduler.stop();
});

interface Shop {
  readonly backend: Backend;
  readonly q: Qluster;
  readonly lines: string[];
  /** Starts a scheduler; `wrap` stands between it and the store. */
  readonly start: (
    clusters?: readonly (string | null)[],
    wrap?: (schedules: Schedules) => Partial<Schedules>,
  ) => Scheduler;
}

function shop(): Shop {
  const backend = memoryBackend();
  const q = createQluster({ name: "test", database: "memory:", secret, logLevel: "silent" }, { backend, env: {} });
  const lines: string[] = [];
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const logger: Logger = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
  return {
    backend,
    q,
    lines,
    start: (clusters = ["test", null], wrap = () => ({})) => {
      const { store } = backend;
      const schedules = { ...store.schedules, ...wrap(store.schedules) };
      const outage = new Outage(logger, 300, () => 0.5);
      const scheduler = new Scheduler({ store: { ...store, schedules }, clusters, logger, outage });
      running.push(scheduler);
      scheduler.start();
      return scheduler;
    },
  };
}

async function until(met: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 4_000;
  while (!(await met())) {
    if (performance.now() > limit) throw new Error("Waited 4 s in vain.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const soon = (ms: number): Date => new Date(Date.now() + ms);

describe("a scheduler", () => {
  it("fires a slot at its time, and says so in Django Q2's words (P204, P215, P219)", async () => {
    const { q, lines, start } = shop();
    start();
    const { nextRun } = await q.schedule("jobs.report", { type: "DAILY", nextRun: soon(300), name: "report" });

    // It says so a moment after it is stored.
    await until(() => Promise.resolve(lines.length > 0));

    const [run, ...others] = await q.schedules.runs("report");
    expect(others).toEqual([]);
    expect(run!.slot).toEqual(nextRun);
    expect(run!.at.getTime() - nextRun!.getTime()).toBeLessThan(250);
    expect(lines).toEqual([expect.stringMatching(/^info Scheduler created task \S+ from schedule \[report\]$/)]);
  });

  it("is woken by a new schedule, an edit and a resume: it does not look for them (P215)", async () => {
    const { q, start } = shop();
    start();
    await q.schedule("jobs.report", { type: "YEARLY", nextRun: soon(900_000), name: "far" });
    await q.schedule("jobs.report", { type: "DAILY", name: "new" });
    await until(async () => (await q.schedules.runs("new")).length === 1);

    await q.schedules.update("far", { nextRun: soon(0) });
    await until(async () => (await q.schedules.runs("far")).length === 1);
  });

  it("asks an idle store nothing until the next slot", async () => {
    const { q, start } = shop();
    await q.schedule("jobs.report", { type: "YEARLY", nextRun: soon(900_000) });
    let looks = 0;
    start(undefined, (schedules) => ({
      due: async (query) => {
        looks += 1;
        return await schedules.due(query);
      },
    }));

    await new Promise((resolve) => setTimeout(resolve, 1_500));

    expect(looks).toBe(1);
  });

  it("leaves to each cluster the schedules of its name, and those without to the default one (P205)", async () => {
    const { q, start } = shop();
    await q.schedule("jobs.report", { type: "DAILY", name: "plain" });
    await q.schedule("jobs.report", { type: "DAILY", name: "theirs", cluster: "reports" });

    start(["reports"]);
    await until(async () => (await q.schedules.runs("theirs")).length === 1);
    expect(await q.schedules.runs("plain")).toEqual([]);

    start(["test", null]);
    await until(async () => (await q.schedules.runs("plain")).length === 1);
  });

  it("marks a broken schedule, tells of it, and fires all the others (P218, P219)", async () => {
    const { q, backend, lines, start } = shop();
    for (const name of ["a", "broken", "b"]) await q.schedule("jobs.report", { type: "DAILY", name });
    const stored = (await backend.store.schedules.find("broken"))!;
    const { nextRun, dueAt, repeats, paused, lastTask, fault } = stored;
    const definition = { ...stored, rule: JSON.stringify({ type: "DAILY", timeZone: "Mars/Olympus" }) };
    const progress = { nextRun, dueAt, repeats, paused, lastTask, fault };
    await backend.store.schedules.change([
      { id: stored.id, revision: stored.revision, definition, progress, runs: [], tasks: [] },
    ]);

    start();
    await until(async () => (await q.schedules.runs("a")).length + (await q.schedules.runs("b")).length === 2);
    await until(async () => (await backend.store.schedules.counts(9)).broken === 1);

    const broken = (await backend.store.schedules.find("broken"))!;
    expect(broken.fault).toMatchObject({
      count: 1,
      error: { message: expect.stringContaining("Mars/Olympus") as string },
    });
    expect([broken.nextRun, broken.runCount]).toEqual([nextRun, 0]);
    expect(broken.dueAt).toBeGreaterThan(Date.now() + 30_000);
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([
      expect.stringMatching(/failed to create a task from schedule \[broken\]: There is no time zone/),
    ]);
  });

  it("finds the one that the store refuses among many, and fires the others (P218)", async () => {
    const { q, backend, start } = shop();
    const made: Schedule[] = [];
    for (const name of ["a", "refused", "b"]) made.push(await q.schedule("jobs.report", { type: "DAILY", name }));
    start(undefined, (schedules) => ({
      change: async (changes) => {
        if (changes.some(({ id, tasks }) => id === made[1]!.id && tasks.length > 0))
          throw new Error("no row takes that");
        return await schedules.change(changes);
      },
    }));

    await until(async () => (await backend.store.schedules.counts(9)).broken === 1);

    expect((await q.schedules.runs("a")).length + (await q.schedules.runs("b")).length).toBe(2);
    expect((await q.schedules.get("refused"))?.fault?.message).toBe("no row takes that");
  });

  it("waits while the store is away, and fires each slot once when it is back (P217)", async () => {
    const { q, backend, start } = shop();
    await q.schedule("jobs.report", { type: "DAILY", name: "report" });
    let failures = 0;
    start(undefined, (schedules) => ({
      change: async (changes) => {
        const answers = await schedules.change(changes);
        if ((failures += 1) > 2) return answers;
        // It was written, and nobody was told.
        throw new StoreUnavailableError("gone", { maybeWritten: true });
      },
    }));

    await until(async () => failures > 0 && (await q.schedules.runs("report")).length > 0);
    await new Promise((resolve) => setTimeout(resolve, 400));

    expect(await q.schedules.runs("report")).toHaveLength(1);
    expect(await backend.broker.queueSize()).toBe(1);
  });

  it("holds back a slot while the task before it has not finished, and goes on when it has (P199)", async () => {
    const { q, start } = shop();
    await q.schedule("jobs.report", { every: "1s", overlap: "queue", name: "report" });
    start();
    await until(async () => (await q.schedules.runs("report")).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(await q.schedules.runs("report")).toHaveLength(1);

    await q.cancel((await q.schedules.get("report"))!.lastTask!);

    await until(async () => (await q.schedules.runs("report")).length === 2);
  });

  it("writes a schedule's many missed slots at once, and many schedules in parts (P213)", async () => {
    const { q, backend, start } = shop();
    const nextRun = soon(-400_000);
    for (let index = 0; index < 5; index++) {
      await q.schedule("jobs.report", { every: "1s", nextRun, catchUp: "all", until: soon(1_000), name: `s${index}` });
    }
    const sizes: number[] = [];
    start(undefined, (schedules) => ({
      change: async (changes) => {
        sizes.push(changes.reduce((sum, { tasks }) => sum + tasks.length, 0));
        return await schedules.change(changes);
      },
    }));

    await until(async () => (await backend.broker.queueSize()) >= 5 * 400);

    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
  });

  it("fires nothing after it was stopped (P214)", async () => {
    const { q, start } = shop();
    const scheduler = start();
    await q.schedule("jobs.report", { type: "DAILY", nextRun: soon(200), name: "report" });
    scheduler.stop();

    await new Promise((resolve) => setTimeout(resolve, 500));

    expect(await q.schedules.runs("report")).toEqual([]);
  });
});

describe("an alarm", () => {
  it("rings when the wall clock jumps, forwards or backwards, as after a suspended night (P217)", async () => {
    for (const jump of [3_600_000, -3_600_000]) {
      let shift = 0;
      const clocks = { now: () => Date.now() + shift, monotonic: () => performance.now() };
      const alarm = new Alarm(clocks);
      const began = performance.now();
      const waited = alarm.wait(60_000);
      shift = jump;

      await waited;

      expect(performance.now() - began).toBeLessThan(1_500);
      alarm.end();
    }
  });

  it("rings at most four times a second, and never loses the last ring", async () => {
    const alarm = new Alarm();
    let rings = 0;
    const began = performance.now();
    const ringing = setInterval(() => alarm.ringSoon(), 5);
    while (performance.now() - began < 1_100) {
      await alarm.wait(60_000);
      rings += 1;
    }
    clearInterval(ringing);
    alarm.ringSoon();
    await alarm.wait(60_000);

    expect(rings).toBeLessThanOrEqual(6);
    alarm.end();
  });
});
