import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import { openBackend } from "../../src/backends/redis/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Consumer, Delivery } from "../../src/contracts/broker.js";
import type { Settlement } from "../../src/contracts/store.js";
import { manualClock, type TestClock } from "../../src/testing/index.js";
import { consumer, idOf } from "../../src/testing/messages.js";
import { hookOf, newTask, retrying, stateOf, succeeded } from "../../src/testing/tasks.js";
import { Mortal, type DeathPoint } from "../support/dying.js";
import { redisForTests } from "../support/redis.js";

const leaseMs = 1_000;
const pace = { lookMs: 0, missingMs: 0, pollMs: 20 };

/** Two queues in slots of their own, and "plain" in the project's. */
const apart = ["a", "b"];
const queues = [...apart, "plain"];

/** Each task, its queue, and that of its hook: out of a slot, into one, and from one to another. */
const routes = [
  ["from a slot", "a", "plain"],
  ["into a slot", "plain", "b"],
  ["between slots", "b", "a"],
] as const;
const hookQueues: ReadonlyMap<string, string> = new Map(routes.map(([name, , queue]) => [name, queue]));

/** How often each call goes out in the life below, at least. Each of them may be the last. */
const calls: Readonly<Record<string, number>> = {
  "store.submit": 1,
  "broker.enqueue": 4,
  "outbox.sent": 1,
  "carrier.take": 4,
  "hold.begin": 4,
  "hold.take": 3,
  "hold.release": 1,
  "carrier.release": 3,
  "store.finish": 3,
  "carrier.acknowledge": 2,
  "hold.renew": 1,
  "carrier.renew": 2,
  "hold.close": 1,
  "carrier.close": 2,
};

const points: readonly DeathPoint[] = Object.entries(calls).flatMap(([call, times]) =>
  Array.from({ length: times }, (_, index) => index + 1).flatMap((nth) =>
    (["before", "after"] as const).map((when) => ({ when, call, nth })),
  ),
);

let server: Awaited<ReturnType<typeof redisForTests>>;

beforeAll(async () => {
  server = await redisForTests();
}, 60_000);
afterAll(() => server.stop());

/** The places of a project, each opened once for all its processes. */
interface Places extends AsyncDisposable {
  readonly store: Backend;
  readonly slots: ReadonlyMap<string, Backend>;
  /** A process that dies, or one that does not. */
  readonly process: (mortal?: Mortal) => Backend;
}

async function openPlaces(project: string, clock: TestClock): Promise<Places> {
  const options = { project, durability: "process", blockMs: 50, retryMs: 1_000, migrate: true } as const;
  const open = (own: Partial<BackendOptions>): Promise<Backend> =>
    openBackend({ ...options, ...own, location: server.url }, clock);
  const slots = new Map<string, Backend>();
  for (const slotOf of apart) slots.set(slotOf, await open({ slotOf }));
  const outbox = outboxFor(slots.get("a")!, leaseMs, apart);
  const store = await open({ outbox });
  return {
    store,
    slots,
    process: (mortal) =>
      composeBackend({
        store: mortal?.store(store) ?? store,
        apart: new Map([...slots].map(([queue, slot]) => [queue, mortal?.broker(slot) ?? slot])),
        outbox,
        pace,
      }),
    async [Symbol.asyncDispose]() {
      for (const part of [store, ...slots.values()]) await part[Symbol.asyncDispose]();
    },
  };
}

describe("a process that has queues in slots of their own", () => {
  it.each(points)(
    "may die $when $call, time $nth, and the next one too: nothing is lost, no success runs again",
    async (point) => {
      const clock = manualClock();
      await using places = await openPlaces(`dies ${point.when} ${point.call} ${point.nth}`, clock);
      const mortal = new Mortal(point);
      const promised: string[] = [];

      expect(await Promise.race([live(places.process(mortal), promised), mortal.died])).toBe("died");
      const second = new Mortal(point);
      const later: string[] = [];
      await Promise.race([outliveAll(places.process(second), clock, later), second.died]);
      const ran: string[] = [];
      const heir = places.process();
      await outliveAll(heir, clock, ran);

      for (const [name] of routes) {
        // A task that was never promised may be there all the same: its promise got lost.
        const isThere = (await stateOf(heir, name)) !== "unknown";
        expect(isThere || !promised.includes(name)).toBe(true);
        if (!isThere) continue;
        expect([await stateOf(heir, name), await stateOf(heir, `hook of ${name}`)]).toEqual(["succeeded", "succeeded"]);
        const attempts = await heir.store.attempts(idOf(name));
        expect(attempts.filter(({ ending }) => ending === "succeeded")).toHaveLength(1);
      }
      expect([...later, ...ran].filter((envelope) => promised.includes(`end of ${envelope}`))).toEqual([]);
      const left = [places.store, ...places.slots.values()].map(
        async ({ broker }) => (await broker.queueSize()) + (await broker.lockSize()),
      );
      expect(await Promise.all(left)).toEqual([0, 0, 0]);
    },
  );
});

/** One life: tasks are given back, tried again, succeed; their hooks run. @param promised - What callers were told. */
async function live(backend: Backend, promised: string[]): Promise<void> {
  await backend.store.submit(routes.map(([name, queue]) => newTask(name, { queue })));
  promised.push(...routes.map(([name]) => name));
  const owner = await consumer(backend.broker, { queues, leaseMs });
  await owner.release((await take(owner)).map(({ receipt }) => receipt));
  await backend.store.finish(
    owner.id,
    (await take(owner)).map((one) => retrying(0)(one)),
  );
  for (const ended of [await take(owner), await take(owner)]) {
    await backend.store.finish(owner.id, ended.map(end));
    promised.push(...ended.map(({ envelope }) => `end of ${envelope}`));
  }
  // Marks are written a moment later.
  await sleep(150);
  await owner.renew([]);
  await owner.close();
  await sleep(2_000);
}

/** Another cluster lives for as many leases as it takes, and does all there is to do. */
async function outliveAll(backend: Backend, clock: TestClock, ran: string[]): Promise<void> {
  const owner = await consumer(backend.broker, { queues, leaseMs });
  for (let round = 0; round < 24; round++) {
    await clock.advance(leaseMs / 4);
    await owner.renew([]);
    for (let some = await take(owner); some.length > 0; some = await take(owner)) {
      ran.push(...some.map(({ envelope }) => envelope));
      await backend.store.finish(owner.id, some.map(end));
    }
  }
}

function end(one: Delivery): Settlement {
  const queue = hookQueues.get(one.envelope);
  return succeeded(one, { followUps: queue === undefined ? [] : [hookOf(one.envelope, { queue })] });
}

/** What is there of all queues. */
async function take(owner: Consumer): Promise<Delivery[]> {
  return owner.take({ max: 10, waitMs: 0 });
}
