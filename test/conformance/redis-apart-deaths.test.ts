import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import { openBackend as openMemory } from "../../src/backends/memory/index.js";
import { openBackend as openRedis } from "../../src/backends/redis/index.js";
import { openBackend as openSqlite } from "../../src/backends/sqlite/index.js";
import type { Backend, OpenBackend } from "../../src/contracts/backend.js";
import type { Consumer, Delivery } from "../../src/contracts/broker.js";
import { manualClock, type TestClock } from "../../src/testing/index.js";
import { consumer, idOf, takeOne } from "../../src/testing/messages.js";
import { hookOf, newTask, retrying, stateOf, succeeded } from "../../src/testing/tasks.js";
import { Mortal, type DeathPoint } from "../support/dying.js";
import { redisForTests } from "../support/redis.js";

const leaseMs = 1_000;
const pace = { lookMs: 0, missingMs: 0, pollMs: 20 };

/** How often each call goes out in the life below. Each of them may be the last. */
const calls: Readonly<Record<string, number>> = {
  "store.submit": 1,
  "broker.enqueue": 2,
  "outbox.sent": 1,
  "carrier.take": 4,
  "hold.begin": 4,
  "hold.release": 1,
  "carrier.release": 2,
  "store.finish": 3,
  "carrier.acknowledge": 2,
  "hold.renew": 1,
  "carrier.renew": 1,
  "hold.close": 1,
  "carrier.close": 1,
};

const points: readonly DeathPoint[] = Object.entries(calls).flatMap(([call, times]) =>
  Array.from({ length: times }, (_, index) => index + 1).flatMap((nth) =>
    (["before", "after"] as const).map((when) => ({ when, call, nth })),
  ),
);

const folder = mkdtempSync(join(tmpdir(), "qluster-deaths-"));
let server: Awaited<ReturnType<typeof redisForTests>>;

beforeAll(async () => {
  server = await redisForTests();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

// Each place is a project of its own on one server.
const onRedis: OpenBackend = (options, clock) =>
  openRedis({ ...options, location: server.url, project: basename(options.location) }, clock);

describe.each<[string, OpenBackend]>([
  ["memory", openMemory],
  ["sqlite", openSqlite],
  ["redis", onRedis],
])("a process on a store and a broker apart (%s)", (name, open) => {
  it.each(points)("may die $when $call, time $nth: nothing is lost, and no success runs again", async (point) => {
    const clock = manualClock();
    const place = join(folder, `${name}-${point.when}-${point.call}-${point.nth}`);
    const options = { project: "shop", durability: "process", blockMs: 50, retryMs: 1_000, migrate: true } as const;
    await using broker = await open({ ...options, location: `${place}-broker` }, clock);
    const outbox = outboxFor(broker, leaseMs);
    await using store = await open({ ...options, location: `${place}-store`, outbox }, clock);
    const mortal = new Mortal(point);
    const dying = composeBackend({ store: mortal.store(store), broker: mortal.broker(broker), outbox, pace });

    const promised: string[] = [];
    const end = await Promise.race([live(dying, promised), mortal.died]);
    expect(end).toBe("died");
    const heir = composeBackend({ store, broker, outbox, pace });
    const ran = await outliveAll(heir, clock);

    // A task that was never promised may be there all the same: its promise got lost.
    const isThere = (await stateOf(heir, "t")) !== "unknown";
    expect(isThere || promised.length === 0).toBe(true);
    if (isThere) {
      expect([await stateOf(heir, "t"), await stateOf(heir, "hook of t")]).toEqual(["succeeded", "succeeded"]);
      const attempts = await heir.store.attempts(idOf("t"));
      expect(attempts.filter(({ ending }) => ending === "succeeded")).toHaveLength(1);
    }
    expect(ran.filter((envelope) => promised.includes(`end of ${envelope}`))).toEqual([]);
    const left = [broker, store].map(async (one) => (await one.broker.queueSize()) + (await one.broker.lockSize()));
    expect(await Promise.all(left)).toEqual([0, 0]);
  });
});

/** One life: a task is sent, given back, tried again, succeeds; its hook runs. @param promised - What callers were told. */
async function live(backend: Backend, promised: string[]): Promise<void> {
  await backend.store.submit([newTask("t")]);
  promised.push("t");
  const owner = await consumer(backend.broker, { leaseMs });
  await owner.release([(await takeOne(owner)).receipt]);
  await backend.store.finish(owner.id, [retrying(0)(await takeOne(owner))]);
  await backend.store.finish(owner.id, [succeeded(await takeOne(owner), { followUps: [hookOf("t")] })]);
  promised.push("end of t");
  await backend.store.finish(owner.id, [succeeded(await takeOne(owner))]);
  promised.push("end of hook of t");
  // Marks are written a moment later.
  await sleep(150);
  await owner.renew([]);
  await owner.close();
  await sleep(2_000);
}

/** Another cluster lives for as many leases as it takes, and does all there is to do. */
async function outliveAll(backend: Backend, clock: TestClock): Promise<string[]> {
  const owner = await consumer(backend.broker, { leaseMs });
  const ran: string[] = [];
  for (let round = 0; round < 24; round++) {
    await clock.advance(leaseMs / 4);
    await owner.renew([]);
    for (let some = await take(owner); some.length > 0; some = await take(owner)) {
      ran.push(...some.map(({ envelope }) => envelope));
      await backend.store.finish(
        owner.id,
        some.map((one) => succeeded(one, { followUps: one.envelope === "t" ? [hookOf("t")] : [] })),
      );
    }
  }
  return ran;
}

async function take(owner: Consumer): Promise<Delivery[]> {
  return owner.take({ max: 10, waitMs: 0 });
}
