import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { StoredSchedule } from "../../src/contracts/schedules.js";
import { idOf } from "../../src/testing/messages.js";
import {
  change,
  changeOf,
  firing,
  insert,
  newSchedule,
  readSchedule,
  runOf,
} from "../../src/testing/schedules/schedules.js";
import { newTask, runTask, stateOf } from "../../src/testing/tasks.js";
import { soon } from "../../src/testing/waiting.js";
import { lossyProxy } from "../support/lossy-proxy.js";
import { startRedis, type RedisServer } from "../support/redis.js";

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let places = 0;

/** A project that no other test knows. @param port - Of a proxy. */
async function open(project: string, port: number = server.port): Promise<Backend> {
  const backend = await openBackend({
    location: `redis://127.0.0.1:${port}`,
    project,
    durability: "process",
    migrate: true,
    blockMs: 50,
    retryMs: 5_000,
  });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** What is stored under a project's prefix. */
function keysOf(project: string, pattern: string): string[] {
  return server.cli("--raw", "keys", `{qluster:${project}}:${pattern}`).split("\n").filter(Boolean);
}

describe("a change of a schedule on Redis", () => {
  const firings = (schedule: StoredSchedule) => firing(schedule, "ours", 1_000);

  it.each([
    ["fires a slot", firings],
    ["removes it", (schedule: StoredSchedule) => changeOf(schedule, { progress: null })],
    [
      "removes it with its last task",
      (schedule: StoredSchedule) => changeOf(schedule, { progress: null, tasks: [newTask("ours")] }),
    ],
  ])("that %s is made once, and known as made, when its reply gets lost (P217)", async (_, made) => {
    const project = `lost reply ${++places}`;
    const proxy = await lossyProxy(server.port);
    const backend = await open(project, proxy.port);
    const schedule = await insert(backend, newSchedule("s", { name: "nightly" }));

    proxy.lose("reply");
    const answer = await change(backend, made(schedule));

    expect(answer).toBe("done");
    expect(await change(backend, made(schedule))).toBe("stale");
    expect((await backend.store.schedules.find(schedule.id))?.runCount ?? 1).toBe(1);
    expect(await backend.broker.queueSize("q")).toBeLessThanOrEqual(1);
  });

  it("is refused when it got lost and somebody else was faster (P217)", async () => {
    const project = `lost request ${++places}`;
    const proxy = await lossyProxy(server.port);
    const backend = await open(project, proxy.port);
    const other = await open(project);
    const schedule = await insert(backend, newSchedule("s"));

    proxy.lose("request", () => change(other, firing(schedule, "theirs", 1_000)));
    const answer = await change(backend, firings(schedule));

    expect(answer).toBe("stale");
    expect([await stateOf(backend, "ours"), await stateOf(backend, "theirs")]).toEqual(["unknown", "queued"]);
  });
});

describe("the runs of a schedule on Redis", () => {
  it("keep outcomes for the newest thousand only, and everything goes with the schedule", async () => {
    const project = `runs ${++places}`;
    const backend = await open(project);
    const definition = { name: "nightly", cluster: "reports", declaredBy: "code" };
    const schedule = await insert(backend, newSchedule("s", { ...definition, dueAt: 1, nextRun: 1 }));
    const runs = Array.from({ length: 1_300 }, (_, index) =>
      runOf(schedule, { number: index + 1, task: idOf(`t${index + 1}`) }),
    );
    await change(backend, changeOf(schedule, { runs }));

    const outcomes = server.cli("hlen", `{qluster:${project}}:outcomes:${schedule.id}`);
    await change(backend, changeOf(await readSchedule(backend, schedule.id), { progress: null }));

    expect(outcomes).toBe("1000");
    expect([keysOf(project, "schedules*"), keysOf(project, "runs*"), keysOf(project, "outcomes*")]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it("know how a task ended that was deleted with its group (P222)", async () => {
    const backend = await open(`group ${++places}`);
    const schedule = await insert(backend, newSchedule("s"));
    const fired = firing(schedule, "t", 1_000);
    await change(backend, { ...fired, tasks: fired.tasks.map((task) => ({ ...task, group: "g", name: "named" })) });
    await runTask(backend, newTask("t"));

    const deleted = await backend.store.deleteGroup("g", { tasks: true });

    expect(deleted).toBe(1);
    expect((await backend.store.schedules.runs(schedule.id, { limit: 1 }))[0]?.state).toBe("succeeded");
  });
});

describe("whoever watches schedules on Redis", () => {
  it("hears of schedules, and is not woken by every task", async () => {
    const backend = await open(`watch ${++places}`);
    let heard = 0;
    let ring = (): void => {};
    const rung = new Promise<void>((resolve) => (ring = resolve));
    const stop = backend.store.schedules.watch(() => {
      heard += 1;
      if (heard === 2) ring();
    });
    onTestFinished(stop);
    // The first one says that from now on nothing is missed.
    while (heard === 0) await new Promise((resolve) => setTimeout(resolve, 10));

    for (const name of ["a", "b", "c"]) await runTask(backend, newTask(name));
    const before = heard;
    await backend.store.schedules.insert(newSchedule("s"));
    await soon("the watcher hears of the new schedule", rung);

    expect(before).toBe(1);
  });
});
