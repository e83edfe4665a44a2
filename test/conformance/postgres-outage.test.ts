import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { StoreUnavailableError } from "../../src/errors.js";
import { atOnce, consumer, message, takeOne } from "../../src/testing/messages.js";
import { newTask, runTask } from "../../src/testing/tasks.js";
import { soon } from "../../src/testing/waiting.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { startTcpProxy } from "../support/tcp-proxy.js";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ fsync: true });
});
afterAll(() => server.remove());

/** Waits for so many topics that somebody listens to. */
async function listening(client: Client, topics: number): Promise<void> {
  const sql = "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted";
  const count = async (): Promise<number> => (await client.query<{ n: number }>(sql)).rows[0]!.n;
  while ((await count()) < topics) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Calls again and again while the store is away. */
async function onceBack<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

it("wakes waiting consumers and results by one connection, also after the server has crashed and come back", async () => {
  const url = emptyPlace({}, server.url);
  await using backend = await openAt(url);
  await using other = await openAt(url);
  const owner = await consumer(backend.broker);
  await other.broker.enqueue("q", [message("before")]);
  const taken = await owner.take(atOnce);
  // A claim of the last moment may be lost in a crash. This commit is not, nor anything before it.
  await owner.renew([]);
  let changes = 0;
  const stop = backend.store.watch(() => (changes += 1), "results");

  server.restart("immediate");

  await onceBack(() => owner.renew([]));
  const waiting = onceBack(() => owner.take({ max: 1, waitMs: 30_000 }));
  const client = await connectTo(new URL(server.url));
  await soon("both topics are listened to again", listening(client, 2));
  changes = 0;
  await onceBack(() => other.broker.enqueue("q", [message("after")]));
  expect((await soon("the consumer is woken", waiting)).map(({ envelope }) => envelope)).toEqual(["after"]);
  expect(await owner.acknowledge(taken.map(({ receipt }) => receipt))).toEqual([true]);
  await runTask(other, newTask("t", { queue: "other" }));
  const told = async (): Promise<void> => {
    while (changes === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await soon("the watcher is told", told());
  stop();
});

it("keeps what was confirmed when the server crashes", async () => {
  const url = emptyPlace({}, server.url);
  await using backend = await openAt(url);
  const tasks = Array.from({ length: 200 }, (_, n) => newTask(`t${n}`));
  const sent = Promise.all(tasks.map((task) => onceBack(() => backend.store.submit([task]))));

  server.restart("immediate");

  await sent;
  expect(await onceBack(() => backend.broker.queueSize("q"))).toBe(200);
});

it("says that a server that is away may come back, and that nothing was written, until it is", async () => {
  await using backend = await openAt(emptyPlace({}, server.url));
  await backend.broker.ping();
  server.halt("fast");

  const failed = await backend.store.submit([newTask("t")]).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(StoreUnavailableError);
  expect((failed as Error).message).toMatch(
    /127\.0\.0\.1:\d+\/postgres cannot be used at the moment: .*Check that it runs/,
  );
  server.start();
  expect(await onceBack(() => backend.store.submit([newTask("t")]))).toMatchObject([{ created: true }]);
});

it("tells nobody of a change that nobody waits for: notifications cost every writer", async () => {
  const url = emptyPlace({}, server.url);
  await using backend = await openAt(url);
  const client = await connectTo(url);
  const told: (string | undefined)[] = [];
  client.on("notification", ({ payload }) => told.push(payload));
  await client.query(`LISTEN "qluster:${url.searchParams.get("schema")}"`);

  await runTask(backend, newTask("unheard"));
  await client.query("SELECT 1");
  expect(told).toEqual([]);

  const owner = await consumer(backend.broker);
  const waiting = owner.take({ max: 1, waitMs: 30_000 });
  await soon("the topic is listened to", listening(client, 1));
  await backend.store.submit([newTask("heard")]);
  expect(await waiting).toHaveLength(1);
  await client.query("SELECT 1");
  expect(told).toHaveLength(1);
});

describe("behind a network that loses answers", () => {
  it("hands out again what nobody was told of, while the lease goes on", async () => {
    const network = await startTcpProxy(server.port);
    onTestFinished(() => network.close());
    const url = emptyPlace({}, network.through(server.url));
    await using backend = await openAt(url);
    const owner = await consumer(backend.broker);
    await backend.broker.enqueue("q", [message("told"), message("untold")]);
    const told = await takeOne(owner);

    network.become("deaf");
    const lost = owner.take(atOnce).catch((error: unknown) => error);
    const client = await connectTo(new URL(server.url));
    await untilHeld(client, schemaOf(url), 2);
    network.drop();
    network.become("fair");

    expect(await lost).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: true });
    const again = await onceBack(() => owner.take(atOnce));
    expect(again.map(({ envelope, deliveries }) => [envelope, deliveries])).toEqual([["untold", 1]]);
    expect(await owner.acknowledge([told.receipt, again[0]!.receipt])).toEqual([true, true]);
  });

  it("says after some seconds that a silent server is away, and uses no connection of that time again (P313)", async () => {
    const network = await startTcpProxy(server.port);
    onTestFinished(() => network.close());
    await using backend = await openAt(emptyPlace({}, network.through(server.url)));
    const owner = await consumer(backend.broker);
    // Several idle connections, all of which will be dead.
    await Promise.all(Array.from({ length: 6 }, () => backend.store.now()));
    network.become("silent");
    const from = performance.now();

    await expect(owner.renew([])).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: true });
    network.become("fair");
    await owner.renew([]);

    expect(performance.now() - from).toBeLessThan(5_000);
  });
});

/** Waits until so many messages are held. */
async function untilHeld(client: Client, schema: string, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM "${schema}".qluster_message WHERE owner > 0`;
  while ((await client.query<{ n: number }>(sql)).rows[0]!.n < count) await new Promise((done) => setTimeout(done, 10));
}
