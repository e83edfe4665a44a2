import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import { script, type ScriptName } from "../../src/backends/redis/scripts.js";
import type { Backend } from "../../src/contracts/backend.js";
import { memberId } from "../../src/core/flow.js";
import { deriveId } from "../../src/core/ids.js";
import {
  called,
  flowId,
  flowsOf,
  joining,
  member,
  newFlow,
  openChain,
  resultOf,
  results,
  runWaiting,
  takeWaiting,
  theFlow,
} from "../../src/testing/flow/flows.js";
import { consumer, idOf } from "../../src/testing/messages.js";
import { change, firing, insert, newSchedule } from "../../src/testing/schedules/schedules.js";
import { failed, finishOne, newTask, runTask, stateOf, succeeded, succeededUnkept } from "../../src/testing/tasks.js";
import { moveSlot } from "../support/redis-slots.js";
import { startRedis, startRedisCluster, type RedisServer } from "../support/redis.js";

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

let projects = 0;
const nextProject = (): string => `flows ${++projects}`;

async function open(project: string, client?: unknown): Promise<Backend> {
  const options = { project, durability: "process", migrate: true, blockMs: 50, retryMs: 5_000 } as const;
  const backend = await openBackend({ ...options, location: client === undefined ? server.url : "", client });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** Stands between the backend and the server. @param values - Of the script, without keys and time. */
type Meddle = (name: ScriptName, values: readonly unknown[], call: () => Promise<unknown>) => Promise<unknown>;

const names = ["settle", "flows", "cancel"] as const satisfies readonly ScriptName[];

/** A backend whose calls of the scripts that have to do with flows go through other hands. */
async function openThrough(project: string, meddle: Meddle): Promise<Backend> {
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const own = redis as unknown as { evalsha: (sha: string, keys: number, values: unknown[]) => Promise<unknown> };
  const real = own.evalsha.bind(redis);
  own.evalsha = async (sha, keys, values) => {
    const name = names.find((one) => script(one).sha === sha);
    const call = (): Promise<unknown> => real(sha, keys, values);
    return name === undefined ? await call() : await meddle(name, values.slice(3), call);
  };
  return await open(project, redis);
}

/** Loses the reply of the first call that `isMeant`, after it was carried out. */
function losing(isMeant: (name: ScriptName, values: readonly unknown[]) => boolean): Meddle & { lost: number } {
  const meddle = async (
    name: ScriptName,
    values: readonly unknown[],
    call: () => Promise<unknown>,
  ): Promise<unknown> => {
    const reply = await call();
    if (meddle.lost > 0 || !isMeant(name, values)) return reply;
    meddle.lost += 1;
    throw new Error("Connection is closed.");
  };
  meddle.lost = 0;
  return meddle;
}

/** A settlement that brings a move of its flow with it. */
const hasMove = (name: ScriptName, values: readonly unknown[]): boolean => name === "settle" && values[3] === 1;
const isVerb =
  (verb: string) =>
  (name: ScriptName, values: readonly unknown[]): boolean =>
    name === "flows" && values[0] === verb;

describe("a flow on Redis, when a reply gets lost", () => {
  it.each([
    ["ends its link and queues the next", 2, ["f0", "f1"]],
    ["ends its last link and calls what is to be called", 1, ["f0"]],
  ])("%s once, and the end is known as stored (P149, P153)", async (_, length, expected) => {
    const meddle = losing(hasMove);
    const backend = await openThrough(nextProject(), meddle);
    await openChain(
      backend,
      Array.from({ length }, () => 1),
    );
    const [owner, [first]] = await takeWaiting(backend);

    expect(await backend.store.finish(owner.id, [succeeded(first!)])).toEqual([true]);

    expect(meddle.lost).toBe(1);
    const ran = ["f0", ...(await runWaiting(backend)), ...(await runWaiting(backend))];
    expect(ran).toEqual(expected);
    expect((await theFlow(backend)).state).toBe("succeeded");
    expect(await called(backend)).toEqual(["core.tasks.done"]);
    await owner.close();
  });

  it("is opened, closed and ended once (P132, P142)", async () => {
    for (const verb of ["open", "close"]) {
      const meddle = losing(isVerb(verb));
      const backend = await openThrough(nextProject(), meddle);
      await flowsOf(backend).open(newFlow("iter"), []);
      await backend.store.submit([member(0)]);
      await runWaiting(backend, succeededUnkept);
      await flowsOf(backend).close(flowId, 1);

      expect(meddle.lost).toBe(1);
      expect((await theFlow(backend)).state).toBe("succeeded");
      expect(await called(backend)).toEqual(["core.tasks.done"]);
    }
  });

  it("says that it was cancelled, and that it was resumed (P159)", async () => {
    const cancelling = losing(isVerb("end"));
    const resuming = losing(isVerb("resume"));
    const backend = await openThrough(nextProject(), (name, values, call) =>
      isVerb("resume")(name, values) ? resuming(name, values, call) : cancelling(name, values, call),
    );
    await openChain(backend, [1, 1]);

    expect(await backend.store.cancel(flowId)).toBe("cancelled");
    expect(await flowsOf(backend).resume(flowId, 1, [member(0, { run: 1 })], null)).toBe(true);

    expect([cancelling.lost, resuming.lost]).toEqual([1, 1]);
    expect([await runWaiting(backend), await runWaiting(backend)]).toEqual([["f0"], ["f1"]]);
  });
});

describe("a flow on Redis, when somebody else is faster", () => {
  it("stays cancelled, and the link that ended meanwhile keeps its end (P159)", async () => {
    const project = nextProject();
    const other = await open(project);
    let isFirst = true;
    const backend = await openThrough(project, async (name, values, call) => {
      if (hasMove(name, values) && isFirst) {
        isFirst = false;
        await other.store.cancel(flowId);
      }
      return await call();
    });
    await openChain(backend, [1, 1]);
    const [owner, [first]] = await takeWaiting(backend);

    expect(await backend.store.finish(owner.id, [succeeded(first!)])).toEqual([true]);

    expect(isFirst).toBe(false);
    expect((await backend.store.get([first!.id]))[0]?.state).toBe("succeeded");
    expect((await theFlow(backend)).state).toBe("cancelled");
    expect(await runWaiting(backend)).toEqual([]);
    expect(await called(backend)).toEqual(["core.tasks.done"]);
    await owner.close();
  });
});

describe("the members of a cancelled flow on Redis, when who cancelled it died", () => {
  /** A chain of a parallel step that was cancelled by somebody who died before its members. */
  async function halfCancelled(): Promise<Backend> {
    const project = nextProject();
    const dying = await openThrough(project, async (name, values, call) => {
      if (name === "cancel" && values[0] !== flowId) throw new Error("died");
      return await call();
    });
    await openChain(dying, [2, 1]);
    await expect(dying.store.cancel(flowId)).rejects.toThrow("died");
    const backend = await open(project);
    expect((await theFlow(backend)).state).toBe("cancelled");
    expect(await backend.broker.queueSize("q")).toBe(2);
    return backend;
  }

  it("are ended by the next cleaning (P159)", async () => {
    const backend = await halfCancelled();

    await backend.store.clean({ successesMs: null, failuresMs: null, successesCount: null, per: null, groupMs: 0 });

    const links = await backend.store.get([memberId(flowId, 0, 0), memberId(flowId, 1, 0)]);
    expect(links.map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
    expect(await runWaiting(backend)).toEqual([]);
    expect(await called(backend)).toEqual(["core.tasks.done"]);
  });

  it("are ended before the chain is resumed (P159)", async () => {
    const backend = await halfCancelled();
    const again = [member(0, { run: 1 }), member(1, { run: 1 })];

    expect(await flowsOf(backend).resume(flowId, 1, again, null)).toBe(true);

    expect((await runWaiting(backend)).toSorted()).toEqual(["f0", "f1"]);
    expect(await runWaiting(backend)).toEqual(["f2"]);
    expect((await backend.store.get([memberId(flowId, 0, 0)]))[0]?.state).toBe("cancelled");
  });
});

describe("an iterable on Redis", () => {
  it("costs the same for each element, however many have ended (P138)", async () => {
    const backend = await open(nextProject());
    await flowsOf(backend).open(newFlow("iter"), []);
    const endOne = async (place: number): Promise<number> => {
      await backend.store.submit([member(place)]);
      const [owner, [taken]] = await takeWaiting(backend);
      server.cli("config", "resetstat");
      await finishOne(backend, owner, succeededUnkept(taken!));
      const calls = commandCalls();
      await owner.close();
      return calls;
    };
    const atFirst = await endOne(0);
    await backend.store.submit(Array.from({ length: 2_000 }, (_, n) => member(n + 1)));
    const owner = await consumer(backend.broker);
    for (let ended = 0; ended < 2_000;) {
      const taken = await owner.take({ max: 256, waitMs: 0 });
      await backend.store.finish(
        owner.id,
        taken.map((delivery) => succeededUnkept(delivery)),
      );
      ended += taken.length;
    }
    await owner.close();

    const later = await endOne(2_001);

    expect(later).toBe(atFirst);
    await flowsOf(backend).close(flowId, 2_002);
    expect((await theFlow(backend)).state).toBe("succeeded");
    expect(await results(backend, 2_000)).toHaveLength(2);
  });

  it("goes with its group, or only leaves it (P134)", async () => {
    const project = nextProject();
    const backend = await open(project);
    for (const name of ["one", "two"]) {
      const id = idOf(name);
      await flowsOf(backend).open(newFlow("iter", { id, group: name, name }), []);
      await backend.store.submit([newTask(name, { id: memberId(id, 0, 0), member: { flow: id, place: 0, run: 0 } })]);
      await runWaiting(backend, succeededUnkept);
      await flowsOf(backend).close(id, 1);
      await runTask(backend, newTask(`beside ${name}`, { group: name }));
    }

    expect(await backend.store.deleteGroup("one", { tasks: true })).toBe(2);
    expect(await backend.store.deleteGroup("two", { tasks: false })).toBe(2);

    expect(keysOf(project, `f*:${idOf("one")}`)).toEqual([]);
    expect([await stateOf(backend, "one"), await stateOf(backend, "beside one")]).toEqual(["unknown", "unknown"]);
    const [record] = await backend.store.get([idOf("two")]);
    expect([record?.state, record?.group, record?.name]).toEqual(["succeeded", null, "two"]);
    expect(await backend.store.countGroup("two", "all")).toBe(0);
    expect(await backend.store.findByName("two")).toBe(idOf("two"));
    const all = { successesMs: 0, failuresMs: 0, successesCount: null, per: null, groupMs: -1 };
    while ((await backend.store.clean(all)) > 0);
    expect(keysOf(project, "f*")).toEqual([]);
    expect(keysOf(project, "done:*")).toEqual([]);
  });
});

describe("a task on Redis that opens a flow for a slot of a schedule", () => {
  it("is counted nowhere, and its run tells of the flow, also when that is gone (P200, P222)", async () => {
    const project = nextProject();
    const backend = await open(project);
    const schedule = await insert(backend, newSchedule("s"));
    const fired = firing(schedule, "flow", 1_000);
    await change(backend, { ...fired, tasks: fired.tasks.map((task) => ({ ...task, kind: "chain" })) });
    const runState = async (): Promise<string | undefined> =>
      (await backend.store.schedules.runs(schedule.id, { limit: 1 }))[0]?.state;
    const states = [await runState()];
    const counted = await backend.store.counts(10);
    const [owner, [opener]] = await takeWaiting(backend);
    const { envelope } = newFlow("chain");
    const withParent = envelope.replace("{", `{"parent":${JSON.stringify(schedule.id)},`);

    await flowsOf(backend).open(newFlow("chain", { steps: [1], envelope: withParent }), [member(0)]);
    await finishOne(backend, owner, succeededUnkept(opener!));
    states.push(await runState());
    const [whileOpen] = await backend.store.get([flowId]);
    await runWaiting(backend);
    states.push(await runState());
    const [ended] = await backend.store.finished([flowId]);
    const all = { successesMs: 0, failuresMs: 0, successesCount: null, per: null, groupMs: -1 };
    while ((await backend.store.clean(all)) > 0);
    states.push(await runState());

    expect(states).toEqual(["queued", "running", "succeeded", "succeeded"]);
    expect([whileOpen?.parent, ended?.parent]).toEqual([schedule.id, schedule.id]);
    expect(counted).toEqual({ queued: 0, running: 0, succeeded: 0, failed: 0 });
    expect((await backend.store.throughput(0)).map(({ succeeded: count }) => count)).toEqual([1]);
    expect(keysOf(project, "hooks")).toHaveLength(1);
    await owner.close();
  });

  it("leaves the record of a flow when it fails, and no member of the group (P129)", async () => {
    const project = nextProject();
    const backend = await open(project);
    await backend.store.submit([
      newTask("a", { kind: "chain", group: "g" }),
      newTask("b", { kind: "iter", group: "g" }),
    ]);

    await runWaiting(backend, failed);

    expect(await backend.store.counts(10)).toEqual({ queued: 0, running: 0, succeeded: 0, failed: 0 });
    expect((await backend.store.group("g", { which: "all" })).map(({ id }) => id)).toEqual([idOf("b")]);
    expect(await backend.store.throughput(0)).toEqual([]);
    expect(keysOf(project, "done:*").map((key) => key.split(":").at(-1))).toEqual(["ff"]);
    expect(keysOf(project, "hooks")).toEqual([]);
  });
});

describe("a flow on a Redis Cluster of three nodes", () => {
  it("keeps chains over two queues and a group over three whole while the project's slot moves to another node and back (P153)", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const options = { project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 20_000 } as const;
    const backend = await openBackend({ ...options, location: cluster.url });
    onTestFinished(() => backend[Symbol.asyncDispose]());
    const queues = ["images", "mail", "media"];
    const owner = await consumer(backend.broker, { queues: [...queues, "hooks"], leaseMs: 60_000 });
    const flows = Array.from({ length: 60 }, (_, n) => deriveId(flowId, `chain ${n}`));
    const links = 5;
    let ended = 0;
    let refused = 0;

    const opening = (async () => {
      for (const [n, id] of flows.entries()) {
        const members = Array.from({ length: links }, (_, place) => {
          const task = member(place, { before: place > 0 });
          return {
            ...task,
            id: memberId(id, place, 0),
            queue: queues[place % 2]!,
            member: { flow: id, place, run: 0 },
          };
        });
        await flowsOf(backend).open(newFlow("chain", { id, steps: members.map(() => 1) }), members);
        await backend.store.submit([newTask(`t${n}`, { queue: queues[n % 3]!, group: "g" })]);
      }
    })();
    const total = flows.length * (links + 2);
    const working = (async () => {
      while (ended < total) {
        const taken = await owner.take({ max: 10, waitMs: 200 });
        const answers = await backend.store.finish(
          owner.id,
          taken.map((delivery) => succeeded(delivery)),
        );
        ended += answers.filter(Boolean).length;
        refused += answers.filter((isOurs) => !isOurs).length;
      }
    })();
    await until(() => ended > 20);
    await moveSlot(cluster.nodes, "{qluster:shop}:");
    await until(() => ended > total / 2);
    await moveSlot(cluster.nodes, "{qluster:shop}:");
    await Promise.all([opening, working]);

    expect(refused).toBe(0);
    const found = await flowsOf(backend).find(flows);
    expect(found.map(({ state, done }) => [state, done])).toEqual(flows.map(() => ["succeeded", links]));
    const hooks = await backend.store.get(flows.map((id) => deriveId(id, "hook")));
    expect(hooks.map(({ state }) => state)).toEqual(flows.map(() => "succeeded"));
    expect(await backend.store.countGroup("g", "succeeded")).toBe(flows.length);
    expect((await backend.store.counts(10_000)).succeeded).toBe(flows.length * (links + 1));
    expect([await backend.broker.queueSize(), await backend.broker.lockSize()]).toEqual([0, 0]);
  }, 90_000);
});

describe("a full batch on Redis", () => {
  it("ends as failed at the last member, whichever failed, and every name and key goes with its record (P131)", async () => {
    const project = nextProject();
    const backend = await open(project);
    await flowsOf(backend).open(newFlow("batch", { steps: [2], name: "nightly", expiresMs: 60_000 }), []);
    await backend.store.submit([joining("a"), joining("b")]);
    const [owner, [first, second]] = await takeWaiting(backend);

    await backend.store.finish(owner.id, [failed(first!), succeeded(second!)]);
    await owner.close();

    expect((await theFlow(backend)).error?.message).toContain("1 of 2 tasks of the batch failed");
    expect(await called(backend)).toEqual(["core.tasks.done"]);
    const all = { successesMs: 0, failuresMs: 0, successesCount: null, per: null, groupMs: -1 };
    while ((await backend.store.clean(all)) > 0);
    expect(keysOf(project, "f*")).toEqual([]);
    expect(keysOf(project, "nm:*")).toEqual([]);
  });
});

/** What is stored under a project's prefix. */
function keysOf(project: string, pattern: string): string[] {
  return server.cli("--raw", "keys", `{qluster:${project}}:${pattern}`).split("\n").filter(Boolean);
}

/** Calls of all commands since the last reset, those of scripts too. */
function commandCalls(): number {
  const lines = server.cli("info", "commandstats").split("\n");
  const counts = lines.flatMap((line) => /^cmdstat_(?!config|info|ping)[^:]*:calls=(\d+)/.exec(line)?.[1] ?? []);
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("Waited 30 seconds, and it did not happen.");
}

it("ends a link and queues the next one in one call, in the cluster that has queued it (P130)", async () => {
  let calls = 0;
  const backend = await openThrough(nextProject(), async (name, _, call) => {
    if (name === "settle") calls += 1;
    return await call();
  });
  await openChain(backend, [1, 1, 1, 1, 1]);
  const owner = await consumer(backend.broker);

  const perLink: number[] = [];
  for (let link = 0; link < 5; link++) {
    const [delivery] = await owner.take({ max: 1, waitMs: 0 });
    calls = 0;
    await finishOne(backend, owner, resultOf(delivery!));
    perLink.push(calls);
  }

  // The first link was queued with the chain; the end is prepared from what the server says.
  expect(perLink).toEqual([2, 1, 1, 1, 2]);
  expect(await theFlow(backend)).toMatchObject({ state: "succeeded", done: 5, failed: 0 });
});
