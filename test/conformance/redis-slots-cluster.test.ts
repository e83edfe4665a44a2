import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { openBackend } from "../../src/backends/redis/index.js";
import { projectPrefix } from "../../src/backends/redis/key-layout.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { Consumer } from "../../src/contracts/broker.js";
import { memberId } from "../../src/core/flow.js";
import { deriveId } from "../../src/core/ids.js";
import { flowId, flowsOf, member, newFlow } from "../../src/testing/flow/flows.js";
import { consumer, idOf } from "../../src/testing/messages.js";
import { newTask, succeeded } from "../../src/testing/tasks.js";
import { openWithSlots, type OpenPart } from "../support/apart.js";
import { moveSlot } from "../support/redis-slots.js";
import { startRedisCluster, type RedisCluster } from "../support/redis.js";

/** Two queues in slots of their own, and one in the project's. */
const queues = ["images", "mail", "media"];
const apart = ["images", "media"];
const links = 5;

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterAll(() => cluster.stop());

const part: OpenPart = (where) =>
  openBackend({ ...where, durability: "process", blockMs: 50, retryMs: 20_000, location: cluster.url });

async function open(project: string): Promise<Backend> {
  const backend = await openWithSlots(part, apart, { place: "", project, migrate: true });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** A process that was started before anything was declared. */
async function openUndeclared(project: string): Promise<Backend> {
  const backend = await part({ place: "", project, migrate: true });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** Ends what comes, and counts. */
class Work {
  ended = 0;
  refused = 0;
  readonly #backend: Backend;
  readonly #owner: Consumer;

  constructor(backend: Backend, owner: Consumer) {
    this.#backend = backend;
    this.#owner = owner;
  }

  async doUntil(total: number): Promise<void> {
    while (this.ended < total) {
      const taken = await this.#owner.take({ max: 10, waitMs: 200 });
      const answers = await this.#backend.store.finish(
        this.#owner.id,
        taken.map((delivery) => succeeded(delivery)),
      );
      this.ended += answers.filter(Boolean).length;
      this.refused += answers.filter((isOurs) => !isOurs).length;
    }
  }
}

async function openChainOver(backend: Backend, id: string): Promise<void> {
  const members = Array.from({ length: links }, (_, place) => ({
    ...member(place, { before: place > 0 }),
    id: memberId(id, place, 0),
    queue: queues[place % 2]!,
    member: { flow: id, place, run: 0 },
  }));
  await flowsOf(backend).open(newFlow("chain", { id, steps: members.map(() => 1) }), members);
}

/** Keys under a prefix, on all nodes. */
function keysUnder(prefix: string): string[] {
  return cluster.nodes.flatMap((node) => node.cli("--raw", "keys", `${prefix}*`).split("\n").filter(Boolean));
}

it("spreads the queues of a project over the nodes, each in one slot", async () => {
  const backend = await open("spread");
  await backend.store.submit(queues.map((queue) => newTask(queue, { queue })));

  const tags = apart.map((queue) => projectPrefix("spread", queue));
  for (const tag of [projectPrefix("spread"), ...tags]) expect(keysUnder(tag)).not.toEqual([]);
  const slots = [projectPrefix("spread"), ...tags].map((tag) => cluster.nodes[0]!.cli("cluster", "keyslot", tag));
  expect(new Set(slots).size).toBe(3);

  const owner = await consumer(backend.broker, { queues });
  const work = new Work(backend, owner);
  await work.doUntil(3);
  await owner.close();

  for (const tag of tags) expect(keysUnder(`${tag}m`)).toEqual([]);
  expect(await backend.broker.info()).toMatch(/3 primaries.*; in slots of their own: images, media$/);
});

it("keeps chains over two queues and a group over three whole while the slots of a queue and of the project move (P153)", async () => {
  const backend = await open("shop");
  const owner = await consumer(backend.broker, { queues: [...queues, "hooks"], leaseMs: 60_000 });
  const work = new Work(backend, owner);
  const flows = Array.from({ length: 60 }, (_, n) => deriveId(flowId, `chain ${n}`));
  const opening = (async () => {
    for (const [n, id] of flows.entries()) {
      await openChainOver(backend, id);
      await backend.store.submit([newTask(`t${n}`, { queue: queues[n % 3]!, group: "g" })]);
    }
  })();
  const total = flows.length * (links + 2);
  const working = work.doUntil(total);
  await until(() => work.ended > 20);
  await moveSlot(cluster.nodes, projectPrefix("shop", "images"));
  await until(() => work.ended > total / 3);
  await moveSlot(cluster.nodes, projectPrefix("shop"));
  await until(() => work.ended > total / 2);
  await moveSlot(cluster.nodes, projectPrefix("shop", "images"));
  await Promise.all([opening, working]);

  expect(work.refused).toBe(0);
  const found = await flowsOf(backend).find(flows);
  expect(found.map(({ state, done }) => [state, done])).toEqual(flows.map(() => ["succeeded", links]));
  const hooks = await backend.store.get(flows.map((id) => deriveId(id, "hook")));
  expect(hooks.map(({ state }) => state)).toEqual(flows.map(() => "succeeded"));
  expect(await backend.store.countGroup("g", "succeeded")).toBe(flows.length);
  expect((await backend.store.counts(10_000)).succeeded).toBe(flows.length * (links + 1));
  expect([await backend.broker.queueSize(), await backend.broker.lockSize()]).toEqual([0, 0]);
  await untilEmpty("shop");
}, 90_000);

it("loses no task and starts none twice when a queue is declared, or no longer, while tasks wait and others do not know it", async () => {
  const undeclared = await openUndeclared("declared");
  await undeclared.store.submit([
    newTask("before", { queue: "media" }),
    newTask("late", { queue: "media", delayMs: 1_000 }),
  ]);
  const backend = await open("declared");
  const owner = await consumer(backend.broker, { queues });
  const before = await owner.take({ max: 10, waitMs: 10_000 });
  await backend.store.submit([newTask("after", { queue: "media" })]);
  const other = await consumer(undeclared.broker, { queues });
  const after = await other.take({ max: 10, waitMs: 10_000 });
  // Its message is in the slot, and the other one has the task.
  const none = await owner.take({ max: 10, waitMs: 300 });
  await backend.store.finish(
    owner.id,
    before.map((one) => succeeded(one)),
  );
  await undeclared.store.finish(
    other.id,
    after.map((one) => succeeded(one)),
  );
  const late = await owner.take({ max: 10, waitMs: 10_000 });
  await backend.store.finish(
    owner.id,
    late.map((one) => succeeded(one)),
  );

  expect([before, after, none, late].map((some) => some.map(({ envelope }) => envelope))).toEqual([
    ["before"],
    ["after"],
    [],
    ["late"],
  ]);
  // Nobody is left who takes it from the project's slot, and who wrote it told nobody.
  await undeclared.store.submit([newTask("from an old process", { queue: "media" })]);
  const old = await owner.take({ max: 10, waitMs: 10_000 });
  expect(old.map(({ envelope }) => envelope)).toEqual(["from an old process"]);
  await backend.store.finish(
    owner.id,
    old.map((one) => succeeded(one)),
  );
  expect(await owner.take({ max: 1, waitMs: 300 })).toEqual([]);
  expect([await backend.broker.queueSize(), await backend.broker.lockSize()]).toEqual([0, 0]);
  expect((await backend.store.counts(10)).succeeded).toBe(4);
});

it("empties a queue in both places (P260)", async () => {
  const backend = await open("purged");
  await backend.store.submit([
    newTask("a", { queue: "media" }),
    newTask("b", { queue: "media" }),
    newTask("c", { queue: "mail" }),
  ]);
  expect(keysUnder(`${projectPrefix("purged", "media")}m`)).toHaveLength(1);

  expect(await backend.broker.purge("media")).toBe(2);

  expect(keysUnder(`${projectPrefix("purged", "media")}m`)).toEqual([]);
  expect([await backend.broker.queueSize("media"), await backend.broker.queueSize()]).toEqual([0, 1]);
});

/** What comes to several lines at once is more than was asked for, when all of them are waited for. */
it("hands out no more than was asked for, and keeps nothing from others, when tasks come to all queues at once", async () => {
  const backend = await open("at once");
  const owner = await consumer(backend.broker, { queues });
  for (let round = 0; round < 10; round++) {
    const taking = owner.take({ max: 1, waitMs: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await backend.store.submit(queues.map((queue) => newTask(`${queue} ${round}`, { queue })));
    const taken = [
      await taking,
      await owner.take({ max: 1, waitMs: 5_000 }),
      await owner.take({ max: 1, waitMs: 5_000 }),
    ];

    expect(taken.map(({ length }) => length)).toEqual([1, 1, 1]);
    const ids = taken.flat().map(({ id }) => id);
    expect(ids.toSorted()).toEqual(queues.map((queue) => idOf(`${queue} ${round}`)).toSorted());
    expect(taken.flat().map(({ deliveries }) => deliveries)).toEqual([1, 1, 1]);
    await backend.store.finish(
      owner.id,
      taken.flat().map((one) => succeeded(one)),
    );
  }
  await untilEmpty("at once");
});

/** Acknowledgements come a moment after the endings. */
async function untilEmpty(project: string): Promise<void> {
  const left = (): string[] => apart.flatMap((queue) => keysUnder(`${projectPrefix(project, queue)}m`));
  await until(() => left().length === 0);
  expect(keysUnder(`${projectPrefix(project)}unsent`)).toEqual([]);
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("Waited 30 seconds, and it did not happen.");
}
