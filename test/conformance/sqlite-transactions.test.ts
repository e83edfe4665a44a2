import { describe, expect, it, onTestFinished } from "vitest";
import type { Backend, OutboxOptions } from "../../src/contracts/index.js";
import { memberId } from "../../src/core/flow.js";
import { openBackendWith } from "../../src/backends/sqlite/index.js";
import { nodeDriver } from "../../src/backends/sqlite/driver.js";
import { createQluster, link, previous, ref, task } from "../../src/index.js";
import type { Qluster } from "../../src/index.js";
import { secret } from "../support/run-queued.js";
import { temporaryFile } from "../support/sqlite-file.js";

interface Handle {
  exec(sql: string): unknown;
  close(): unknown;
}

const echo = task("conformance.echo", async (value: unknown) => value);
type SqliteClass = new (file: string) => Handle;
const Sqlite =
  nodeDriver() === undefined
    ? ((await import("libsql")).default as unknown as SqliteClass)
    : (process.getBuiltinModule("node:sqlite") as unknown as { DatabaseSync: SqliteClass }).DatabaseSync;

/** On the SQLite that this Node has. Others, and other libraries, are in test/transactions. */
describe(`a transaction on a handle of ${Sqlite.name}`, () => {
  it.each([
    ["commits", "COMMIT", 2],
    ["rolls back", "ROLLBACK", 0],
  ])("takes its tasks with it when it %s (P088)", async (_, end, count) => {
    const { q, db } = await opened();
    db.exec("BEGIN IMMEDIATE");

    const id = await q.in(db).asyncTask(echo, "hello");
    await q.in(db).asyncTask(ref(echo, { unique: "u" }), null);
    expect(await q.queueSize()).toBe(0);
    db.exec(end);

    expect(await q.queueSize()).toBe(count);
    expect((await q.status(id))?.state).toBe(count === 0 ? undefined : "queued");
  });

  it("keeps what is outside of a savepoint that was rolled back", async () => {
    const { q, db } = await opened();

    db.exec("BEGIN IMMEDIATE");
    await q.in(db).asyncTask(echo, 1);
    db.exec("SAVEPOINT inner1");
    await q.in(db).asyncTask(echo, 2);
    db.exec("ROLLBACK TO inner1; COMMIT");

    expect(await q.queueSize()).toBe(1);
  });

  it("leaves its tasks for whoever sends them to a broker elsewhere, from the commit on", async () => {
    // Far longer than the test: only what nobody has in hand is handed out.
    const outbox = { aheadMs: 0, handMs: 600_000, resendMs: 3_600_000, missingMs: 1_200_000 };
    const { q, db, backend } = await opened({ outbox });
    const cluster = { id: "c", host: "web-1", pid: 1 };
    const hold = await backend.outbox!.hold({ queues: ["test"], leaseMs: 60_000, cluster });
    db.exec("BEGIN IMMEDIATE");
    const ids: string[] = [await q.in(db).asyncTask(echo, 1), await q.in(db).asyncTask(ref(echo, { unique: "u" }), 2)];
    const chain = await q.in(db).asyncChain([link(echo, 1), link(echo, previous())]);
    const iter = await q.in(db).asyncIter(echo, [[1]]);
    ids.push(memberId(chain, 0, 0), memberId(iter, 0, 0));
    db.exec("COMMIT");
    await q.asyncTask(echo, "in the hands of its writer");

    const { messages } = await hold.unsent(10);

    expect(messages.map(({ id }) => id)).toEqual(ids);
  });

  it("works on the application's own SQLite with a broker in another file", async () => {
    const [database, broker] = [temporaryFile(), temporaryFile()];
    const config = { name: "test", database: `sqlite:${database}`, broker: `sqlite:${broker}`, secret };
    await using q = createQluster(config, { root: import.meta.dirname, env: {}, sqlite: Sqlite });
    await q.open();
    const db = new Sqlite(database);
    onTestFinished(() => void db.close());
    db.exec("BEGIN IMMEDIATE");

    const id = await q.in(db).asyncTask(echo, 1);
    db.exec("COMMIT");

    expect((await q.status(id))?.state).toBe("queued");
    expect(await q.queueSize()).toBe(1);
  });

  it("has to be open", async () => {
    const { q, db } = await opened();

    expect(() => q.in(db).asyncTask(echo, 1)).toThrow(/No transaction of (libsql|node:sqlite) is open/);
    db.exec("BEGIN IMMEDIATE; ROLLBACK");
  });
});

async function opened(
  extra: { readonly outbox?: OutboxOptions } = {},
): Promise<{ q: Qluster; db: Handle; backend: Backend }> {
  const location = temporaryFile();
  const options = {
    ...extra,
    project: "test",
    durability: "process",
    migrate: true,
    blockMs: 20,
    retryMs: 5_000,
  } as const;
  const backend = await openBackendWith({ ...options, location }, Sqlite as never);
  const config = { name: "test", database: "memory:", secret };
  const q = createQluster(config, { root: import.meta.dirname, env: {}, backend });
  await q.open();
  const db = new Sqlite(location);
  onTestFinished(async () => {
    db.close();
    await q.close();
    await backend[Symbol.asyncDispose]();
  });
  return { q, db, backend };
}
