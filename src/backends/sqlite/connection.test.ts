import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { connectTo, openOn, temporaryFile } from "../../../test/support/sqlite-file.js";
import { newTask } from "../../testing/tasks.js";

/** The longest time, in milliseconds, that the loop did not turn while `work` ran. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  await work.finally(() => clearInterval(timer));
  return longest;
}

it("waits without blocking while another program holds the write lock, and writes in the order of the calls", async () => {
  const location = temporaryFile();
  const backend = await openOn(location, { blockMs: 20 });
  const other = connectTo(location);
  other.exec("BEGIN IMMEDIATE");

  const calls = Promise.all(Array.from({ length: 20 }, (_, n) => backend.store.submit([newTask(`t${n}`)])));
  setTimeout(() => other.exec("COMMIT"), 300);
  const turn = await longestTurn(calls);

  const listed = await backend.broker.list("q", { limit: 100 });
  expect(listed.map(({ envelope }) => envelope)).toEqual(Array.from({ length: 20 }, (_, n) => `t${n}`));
  // One call may block for 20 ms. The rest is what a busy machine adds; twenty calls that block would take 400.
  expect(turn).toBeLessThan(200);
});

it("rejects with the cause when the lock is held for too long, and has written nothing", async () => {
  const location = temporaryFile();
  const backend = await openOn(location, { blockMs: 5, retryMs: 100 });
  const other = connectTo(location);
  await backend.store.counts(1);
  other.exec("BEGIN IMMEDIATE");

  const late = backend.store.submit([newTask("a")]);

  await expect(late).rejects.toMatchObject({
    code: "QLUSTER_STORE_UNAVAILABLE",
    maybeWritten: false,
    message: expect.stringMatching(/was locked by another process for more than 100 ms; nothing was written/) as string,
  });
  other.exec("COMMIT");
  expect(await backend.broker.queueSize()).toBe(0);
  expect(await backend.store.submit([newTask("a")])).toMatchObject([{ created: true }]);
});

it("reads while another program writes, also when calls wait for the lock", async () => {
  const location = temporaryFile();
  const backend = await openOn(location, { blockMs: 1 });
  await backend.store.submit([newTask("a")]);
  const other = connectTo(location);
  other.exec("BEGIN IMMEDIATE");
  const waiting = backend.store.submit([newTask("b")]);
  await wait(20);

  expect(await backend.broker.queueSize()).toBe(1);

  other.exec("COMMIT");
  await waiting;
  expect(await backend.broker.queueSize()).toBe(2);
});

it("opens while another program holds the lock", async () => {
  const location = temporaryFile();
  const other = connectTo(location);
  other.exec("PRAGMA journal_mode = DELETE; CREATE TABLE t (a); BEGIN EXCLUSIVE");
  setTimeout(() => other.exec("COMMIT"), 100);

  const backend = await openOn(location, { blockMs: 5 });

  expect(await backend.broker.queueSize()).toBe(0);
});

it("rolls a transaction back as a whole when one part of it fails", async () => {
  const location = temporaryFile();
  const backend = await openOn(location);
  const broken = { ...newTask("b"), priority: "high" as unknown as number };

  await expect(backend.store.submit([newTask("a"), broken])).rejects.toThrow();

  expect(await backend.broker.queueSize()).toBe(0);
  expect(await backend.store.submit([newTask("a")])).toMatchObject([{ created: true }]);
});

it("says that it was closed, and ends what still waits", async () => {
  const backend = await openOn(temporaryFile());
  const consumer = await backend.broker.consume({
    queues: ["q"],
    leaseMs: 60_000,
    cluster: { id: "c", host: "h", pid: 1 },
  });
  const waiting = consumer.take({ max: 1, waitMs: 60_000 });
  await wait(10);

  await backend[Symbol.asyncDispose]();

  expect(await waiting).toEqual([]);
  await expect(backend.store.submit([newTask("a")])).rejects.toMatchObject({ code: "QLUSTER_CLOSED" });
});

it.each([
  ["process", 1],
  ["power", 2],
] as const)("flushes for durability %s as SQLite's synchronous = %i", async (durability, level) => {
  const statements: string[] = [];
  const { loadDriver } = await import("./driver.js");
  const { openSqlite } = await import("./index.js");
  const driver = await loadDriver();
  const location = temporaryFile();
  const spying = {
    ...driver,
    open: (file: string) => {
      const database = driver.open(file);
      return { ...database, exec: (sql: string) => (statements.push(sql), database.exec(sql)) };
    },
  };
  const options = { location, project: "shop", durability, migrate: true, blockMs: 20, retryMs: 100 };

  await (await openSqlite(options, spying))[Symbol.asyncDispose]();

  expect(statements).toContain(`PRAGMA synchronous = ${level === 2 ? "FULL" : "NORMAL"}`);
});

it("goes on after every kind of write has met a lock, although the other program wrote meanwhile", async () => {
  const location = temporaryFile();
  const backend = await openOn(location, { blockMs: 1, retryMs: 30 });
  const consumer = await backend.broker.consume({
    queues: ["q"],
    leaseMs: 60_000,
    cluster: { id: "c", host: "h", pid: 1 },
  });
  const other = connectTo(location);
  other.exec("CREATE TABLE theirs (n)");
  const writes = [
    async () => await consumer.renew([]),
    async () => await backend.store.submit([newTask("a")]),
    async () => await backend.store.tell("c", { order: "stop" }),
    async () => await backend.store.inbox("c"),
    async () => await backend.cache.set("k", "v", null),
    async () => await backend.broker.purge("q"),
  ];

  for (const write of writes) {
    other.exec("BEGIN IMMEDIATE; INSERT INTO theirs VALUES (1)");
    await write().catch(() => {});
    other.exec("COMMIT");
    // libsql keeps a statement open that met a lock, and with it an old view of the file.
    await write();
    await backend.store.submit([newTask("b")]);
  }
});

it("sets the journal mode by no statement that could stay open after a lock", async () => {
  const { loadDriver } = await import("./driver.js");
  const { openSqlite } = await import("./index.js");
  const driver = await loadDriver();
  const prepared: string[] = [];
  const spying = {
    ...driver,
    open: (file: string) => {
      const database = driver.open(file);
      return { ...database, prepare: (sql: string) => (prepared.push(sql), database.prepare(sql)) };
    },
  };
  const common = { project: "shop", durability: "process", migrate: true, blockMs: 1, retryMs: 1_000 } as const;

  await (await openSqlite({ ...common, location: temporaryFile() }, spying))[Symbol.asyncDispose]();

  expect(prepared.filter((sql) => /journal_mode =/.test(sql))).toEqual([]);
});
