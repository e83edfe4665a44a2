import { expect, it } from "vitest";
import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import { openBackend } from "../../src/backends/memory/index.js";
import type { Backend } from "../../src/contracts/backend.js";
import type { Broker, Consumer } from "../../src/contracts/broker.js";
import type { Hold } from "../../src/contracts/outbox.js";
import { LeaseLostError, StoreUnavailableError } from "../../src/errors.js";
import { manualClock, type TestClock } from "../../src/testing/index.js";
import {
  atOnce,
  consumer,
  idOf,
  inTime,
  message,
  messages,
  names,
  takeAll,
  takeOne,
} from "../../src/testing/messages.js";
import { failed, finishOne, hookOf, newTask, retrying, stateOf, succeeded } from "../../src/testing/tasks.js";
import { outlive, pass, shortLease } from "../../src/testing/waiting.js";
import { copyingBroker } from "../support/copying-broker.js";

const leaseMs = shortLease;
const pace = { lookMs: 0, missingMs: 0, pollMs: 20 };
const options = { project: "shop", durability: "process", blockMs: 50, retryMs: 1_000, migrate: true } as const;

let places = 0;

interface Apart {
  readonly backend: Backend;
  /** The broker's own view. */
  readonly broker: Broker;
  readonly clock: TestClock;
}

/** A store and a broker in memory, each of which a test may bend. */
async function apart(
  bend: { broker?: (real: Backend) => Backend; store?: (real: Backend) => Backend } = {},
): Promise<Apart> {
  const clock = manualClock();
  const real = await openBackend({ ...options, location: `outage-broker ${++places}` }, clock);
  const broker = bend.broker?.(real) ?? real;
  const outbox = outboxFor(broker, leaseMs);
  const own = await openBackend({ ...options, location: `outage-store ${places}`, outbox }, clock);
  const store = bend.store?.(own) ?? own;
  return { backend: composeBackend({ store, broker, outbox, pace }), broker: real.broker, clock };
}

it("sends everything again when the broker was emptied by mistake", async () => {
  const { backend, broker, clock } = await apart();
  await backend.store.submit(Array.from({ length: 20 }, (_, n) => newTask(`t${n}`)));
  const owner = await consumer(backend.broker);

  await broker.deleteQueue("q");
  const early = await owner.take(atOnce);
  // Marks are written a moment after the sending.
  await new Promise((resolve) => setTimeout(resolve, 150));
  await clock.advance(2 * leaseMs + 1);
  const taken = await takeAll(owner);

  expect(early).toEqual([]);
  expect(taken).toHaveLength(20);
});

it("enqueues while the broker is away, and sends when it is back", async () => {
  let isAway = true;
  const { backend } = await apart({
    broker: (real) => ({
      ...real,
      broker: {
        ...real.broker,
        async enqueue(queue, all) {
          if (isAway) throw new StoreUnavailableError("The broker is away.");
          await real.broker.enqueue(queue, all);
        },
      },
    }),
  });
  const owner = await consumer(backend.broker);

  const [answer] = await backend.store.submit([newTask("t")]);
  const whileAway = await owner.take(atOnce);
  isAway = false;
  const taken = await owner.take(inTime);

  expect(answer).toEqual({ id: idOf("t"), created: true });
  expect([names(whileAway), names(taken)]).toEqual([[], ["t"]]);
});

it("does not wait for a broker that does not answer", async () => {
  const { backend } = await apart({
    broker: (real) => ({ ...real, broker: { ...real.broker, enqueue: () => new Promise(() => {}) } }),
  });
  const start = performance.now();

  await backend.store.submit([newTask("t")]);
  await backend.store.submit([newTask("u")]);

  expect(performance.now() - start).toBeLessThan(2_000);
  expect(await stateOf(backend, "u")).toBe("queued");
});

it("goes on under a new lease of the broker when that was lost: what runs is not disturbed, and runs nowhere else", async () => {
  let isLost = false;
  const { backend, broker } = await apart({
    broker: (real) => ({
      ...real,
      broker: { ...real.broker, consume: async (request) => losing(await real.broker.consume(request), () => isLost) },
    }),
  });
  await backend.store.submit([newTask("t"), newTask("u")]);
  const owner = await consumer(backend.broker);
  const delivery = await takeOne(owner);

  isLost = true;
  await owner.renew([]);
  isLost = false;
  const other = await consumer(backend.broker);
  const elsewhere = await takeAll(other);

  expect(names(elsewhere)).toEqual(["u"]);
  await finishOne(backend, owner, succeeded(delivery));
  await other.close();
  expect(await stateOf(backend, "t")).toBe("succeeded");
  expect(names(await takeAll(owner))).toEqual(["u"]);
  await owner.close();
  expect(await broker.lockSize()).toBe(0);
});

/** A consumer of the broker whose lease ends when the test says so. */
function losing(real: Consumer, isLost: () => boolean): Consumer {
  return {
    ...real,
    async renew(running) {
      if (!isLost()) return await real.renew(running);
      await real.close();
      throw new LeaseLostError(real.id);
    },
  };
}

it("gives everything back at once when the store's lease was lost, and says so", async () => {
  const { backend, broker, clock } = await apart();
  await backend.store.submit([newTask("t")]);
  const late = await consumer(backend.broker, { leaseMs });
  const heir = await consumer(backend.broker, { leaseMs });
  const delivery = await takeOne(late);

  await outlive(clock, heir);
  const taken = await takeOne(heir);

  await expect(late.renew([])).rejects.toMatchObject({ code: "QLUSTER_LEASE_LOST" });
  expect(await backend.store.finish(late.id, [succeeded(delivery)])).toEqual([false]);
  await finishOne(backend, heir, succeeded(taken));
  expect(await broker.lockSize()).toBe(0);
});

it("lets one copy of each message through when the broker hands out two, and clears away the others", async () => {
  const clock = manualClock();
  const [one, two] = [
    await openBackend({ ...options, location: "copy 1" }, clock),
    await openBackend({ ...options, location: "copy 2" }, clock),
  ];
  const broker = copyingBroker(one, two);
  const outbox = outboxFor(broker, leaseMs);
  const store = await openBackend({ ...options, location: "copy store", outbox }, clock);
  const backend = composeBackend({ store, broker, outbox, pace });
  const all = Array.from({ length: 40 }, (_, n) => `t${n}`);
  await backend.store.submit(all.map((name) => newTask(name)));
  const owners = [await consumer(backend.broker), await consumer(backend.broker), await consumer(backend.broker)];

  const begun: string[] = [];
  for (let round = 0; round < 30; round++) {
    for (const owner of owners) {
      const taken = await owner.take({ max: 7, waitMs: 0 });
      begun.push(...names(taken));
      const ends = taken.map((delivery) => succeeded(delivery));
      expect(await backend.store.finish(owner.id, ends)).toEqual(ends.map(() => true));
    }
    // What waits for a copy that was held elsewhere.
    await clock.advance(leaseMs);
    for (const owner of owners) await owner.renew([]);
  }

  expect(begun.toSorted()).toEqual(all.toSorted());
  expect([await one.broker.queueSize(), await two.broker.queueSize()]).toEqual([0, 0]);
  expect([await one.broker.lockSize(), await two.broker.lockSize()]).toEqual([0, 0]);
});

it("takes in messages that were in the broker before there was a store", async () => {
  const { backend, broker } = await apart();
  await broker.enqueue("q", messages(3));
  const owner = await consumer(backend.broker);

  const taken = await takeAll(owner);

  expect(names(taken)).toEqual(["m0", "m1", "m2"]);
  await finishOne(backend, owner, succeeded(taken[0]!));
  expect((await backend.store.get([message("m0").id]))[0]?.state).toBe("succeeded");
  expect(await broker.lockSize()).toBe(2);
});

it("leaves nothing behind when the broker is taken out of the configuration", async () => {
  const { backend, clock } = await apart();
  await backend.store.submit([newTask("t"), newTask("later", { delayMs: 500 })]);
  const alone = await openBackend({ ...options, location: `outage-store ${places}` }, clock);
  await clock.advance(501);

  const taken = await takeAll(await consumer(alone.broker));

  expect(names(taken)).toEqual(["t", "later"]);
  expect(await takeAll(await consumer(backend.broker))).toEqual([]);
});

it("tells the broker nothing of a task but its id", async () => {
  const { backend, broker } = await apart();
  await backend.store.submit([newTask("t", { envelope: "a secret", delayMs: 500, priority: 3 })]);

  const [listed] = await broker.list("q", { limit: 10 });

  expect(listed).toMatchObject({ id: idOf("t"), envelope: "in the store", priority: 3 });
});

it("clears a cancelled task out of the broker when its message comes", async () => {
  const { backend, broker } = await apart();
  await backend.store.submit([newTask("t")]);
  expect(await backend.store.cancel(idOf("t"), [hookOf("t")])).toBe("cancelled");
  const owner = await consumer(backend.broker);

  const taken = await takeAll(owner);

  expect(names(taken)).toEqual(["hook of t"]);
  expect([await broker.queueSize(), await broker.lockSize()]).toEqual([0, 1]);
});

it.each([
  ["a new task", async (backend: Backend) => void (await backend.store.submit([newTask("t", { delayMs: 5_000 })]))],
  [
    "a retry",
    async (backend: Backend) => {
      await backend.store.submit([newTask("t")]);
      const owner = await consumer(backend.broker);
      await finishOne(backend, owner, retrying(5_000)(await takeOne(owner)));
      await owner.close();
    },
  ],
  [
    "a task that was given back",
    async (backend: Backend) => {
      await backend.store.submit([newTask("t")]);
      const owner = await consumer(backend.broker);
      await owner.release([(await takeOne(owner)).receipt], { delayMs: 5_000 });
      await owner.close();
    },
  ],
])("keeps the delay of %s in the store while it is longer than the broker can keep", async (_, delay) => {
  const { backend, broker, clock } = await apart({
    broker: (real) => ({
      ...real,
      broker: { ...real.broker, capabilities: { ...real.broker.capabilities, maxDelayMs: 2_000 } },
    }),
  });
  await delay(backend);
  const owner = await consumer(backend.broker, { leaseMs });
  const far = [await broker.queueSize(), await broker.lockSize(), await backend.broker.queueSize()];

  await pass(clock, 3_500, [owner]);
  const early = await owner.take(atOnce);
  const near = await broker.queueSize();
  await pass(clock, 1_500, [owner]);

  expect([far, early, near]).toEqual([[0, 0, 1], [], 1]);
  expect(names(await owner.take(inTime))).toEqual(["t"]);
});

it("begins once more what was begun by a call whose answer got lost, and counts it once", async () => {
  let isCut = false;
  const { backend, broker } = await apart({
    store: (real) => ({
      ...real,
      outbox: { ...real.outbox!, hold: async (request) => cut(await real.outbox!.hold(request), () => isCut) },
    }),
  });
  await backend.store.submit([newTask("t")]);
  const owner = await consumer(backend.broker);

  isCut = true;
  await expect(owner.take(atOnce)).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
  isCut = false;
  const again = await takeOne(owner, inTime);

  expect([again.envelope, again.deliveries]).toEqual(["t", 1]);
  await finishOne(backend, owner, failed(again));
  expect(await broker.lockSize()).toBe(0);
});

it("gives back what it began without knowing, so that others can begin it", async () => {
  let isCut = false;
  const { backend, clock } = await apart({
    store: (real) => ({
      ...real,
      outbox: { ...real.outbox!, hold: async (request) => cut(await real.outbox!.hold(request), () => isCut) },
    }),
  });
  await backend.store.submit([newTask("t")]);
  const owner = await consumer(backend.broker);
  const other = await consumer(backend.broker);

  isCut = true;
  await expect(owner.take(atOnce)).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
  isCut = false;
  const early = await other.take(atOnce);
  const own = await owner.take(atOnce);
  await clock.advance(600_000);

  // It was put off for as long as the first one's lease was thought to last.
  expect([early, own]).toEqual([[], []]);
  expect(await takeOne(other)).toMatchObject({ envelope: "t", deliveries: 1 });
});

it("keeps short-lived text in the cache that was named, and tasks in the database (P048)", async () => {
  const cache = await openBackend({ ...options, location: "a cache" });
  const store = await openBackend({ ...options, location: "beside the cache" });
  const backend = composeBackend({ store, cache });

  await backend.cache.set("k", "v", null);
  await backend.store.submit([newTask("t")]);

  expect([await cache.cache.get("k"), await store.cache.get("k")]).toMatchObject([{ value: "v" }, undefined]);
  expect(names(await takeAll(await consumer(backend.broker)))).toEqual(["t"]);
  expect(await cache.broker.queueSize()).toBe(0);
});

/** A hold that begins and does not get the answer. */
function cut(real: Hold, isCut: () => boolean): Hold {
  return {
    ...real,
    async begin(ids) {
      const answers = await real.begin(ids);
      if (isCut()) throw new StoreUnavailableError("The connection was cut.", { maybeWritten: true });
      return answers;
    },
  };
}

it("purges and deletes in both", async () => {
  const { backend, broker } = await apart();
  await backend.store.submit([newTask("a"), newTask("b"), newTask("c", { queue: "other" })]);
  const owner = await consumer(backend.broker);
  await takeOne(owner);

  const purged = await backend.broker.purge("q");
  const after = [await broker.queueSize("q"), await broker.lockSize("q")];
  const deleted = await backend.broker.deleteQueue("q");

  expect([purged, after, deleted]).toEqual([1, [0, 1], 1]);
  expect([await broker.lockSize("q"), await broker.queueSize("other")]).toEqual([0, 1]);
});
