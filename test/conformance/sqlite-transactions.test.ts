import { describe, expect, it, onTestFinished } from "vitest";
import { openBackendWith } from "../../src/backends/sqlite/index.js";
import { nodeDriver } from "../../src/backends/sqlite/driver.js";
import { createQluster, ref, task } from "../../src/index.js";
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
  ])("takes its tasks with it when it %s (P430)", async (_, end, count) => {
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

  it("has to be open", async () => {
    const { q, db } = await opened();

    expect(() => q.in(db).asyncTask(echo, 1)).toThrow(/No transaction of (libsql|node:sqlite) is open/);
    db.exec("BEGIN IMMEDIATE; ROLLBACK");
  });
});

async function opened(): Promise<{ q: Qluster; db: Handle }> {
  const location = temporaryFile();
  const options = { project: "test", durability: "process", migrate: true, blockMs: 20, retryMs: 5_000 } as const;
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
  return { q, db };
}
