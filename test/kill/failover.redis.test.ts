import { setTimeout as pause } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { startRedis, type RedisServer } from "../support/redis.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { backAtWork, startsIn, startTraffic } from "../support/traffic.js";
import { until, workshop } from "../support/workshop.js";

/** A primary and its only replica, behind one address that a test moves from one to the other. */
async function pair(): Promise<{ primary: RedisServer; replica: RedisServer; address: TcpProxy }> {
  const primary = await startRedis();
  const replica = await startRedis({ flags: ["--replicaof", "127.0.0.1", String(primary.port)] });
  const address = await startTcpProxy(primary.port);
  onTestFinished(async () => {
    await address.close();
    await replica.stop();
    await primary.stop();
  });
  await inSync(primary);
  return { primary, replica, address };
}

async function inSync(primary: RedisServer): Promise<void> {
  const isOnline = (): boolean => /state=online/.test(primary.cli("info", "replication"));
  await until(isOnline, "the replica to be in step");
}

async function promoted(server: RedisServer): Promise<void> {
  await until(() => /role:master/.test(server.cli("info", "replication")), "the replica to take over");
}

it("loses nothing and repeats no stored success in coordinated failovers, there and back, also while the old address is a replica", async () => {
  const { primary, replica, address } = await pair();
  await using shop = await workshop({ database: address.through(primary.url), workers: 1, attempts: 0 });
  await Promise.all([shop.cluster(), shop.cluster()]);
  const traffic = startTraffic(shop, "coordinated", 25_000);

  for (const [from, to] of [
    [primary, replica],
    [replica, primary],
  ] as const) {
    const before = startsIn(shop).length;
    await until(() => startsIn(shop).length > before + 50, "tasks to start");
    from.cli("failover", "to", "127.0.0.1", String(to.port));
    await promoted(to);
    // Whoever still talks to the old one is told READONLY.
    await pause(500);
    address.target = to.port;
    address.drop();
    await backAtWork(shop, `at_${to.port}`);
    await inSync(to);
  }

  await traffic.stop();
  await traffic.check();
});

it("runs every task whose asyncTask resolved when the only replica takes over from a primary that died (replicas: 1)", async () => {
  const { primary, replica, address } = await pair();
  const database = address.through(primary.url);
  await using shop = await workshop({ database, workers: 1, attempts: 0, durability: { replicas: 1 } });
  await Promise.all([shop.cluster(), shop.cluster()]);
  const traffic = startTraffic(shop, "abrupt", 25_000);
  await until(() => traffic.confirmed.size > 100, "the application to enqueue");

  await primary.kill();
  const died = Date.now();
  address.target = replica.port;
  replica.cli("replicaof", "no", "one");
  const taken = startsIn(shop).length;
  await primary.start();
  primary.cli("replicaof", "127.0.0.1", String(replica.port));
  await inSync(replica);
  await backAtWork(shop, "after_death");
  await traffic.stop();

  expect(startsIn(shop).length).toBeGreaterThan(taken);
  const records = await Promise.all([...traffic.confirmed.values()].map((id) => shop.q.fetch(id, { wait: "30s" })));
  expect(records.filter((task) => task?.success !== true)).toEqual([]);
  // What ended in the last second may run again, and nothing else.
  const firstStarts = new Map<string, number>();
  const again = startsIn(shop).filter(({ id, at }) => {
    const first = firstStarts.get(id);
    if (first === undefined) firstStarts.set(id, at);
    return first !== undefined && first < died - 1_500;
  });
  expect(again).toEqual([]);
  expect(await shop.q.queueSize()).toBe(0);
});
