import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { loadDriver, type SqliteDatabase } from "../../src/backends/sqlite/driver.js";
import { openSqlite } from "../../src/backends/sqlite/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Clock } from "../../src/contracts/clock.js";

const driver = await loadDriver();

/** A path in a folder of its own, which goes when the test ends. */
export function temporaryFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "qluster-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "q.db");
}

/** A backend on the file, which closes when the test ends. */
export async function openOn(location: string, options: Partial<BackendOptions> = {}, clock?: Clock): Promise<Backend> {
  const defaults = { project: "shop", durability: "process", migrate: true, blockMs: 20, retryMs: 5_000 } as const;
  const backend = await openSqlite({ ...defaults, location, ...options }, driver, clock);
  onTestFinished(() => backend[Symbol.asyncDispose]());
  return backend;
}

/** A plain connection to the file, as another program would have it. Closes when the test ends. */
export function connectTo(location: string): SqliteDatabase {
  const database = driver.open(location);
  onTestFinished(() => database.close());
  return database;
}

/** The rows of a statement without parameters. */
export function rowsOf<Row>(database: SqliteDatabase, sql: string): Row[] {
  return database.prepare(sql).all<Row>([]);
}
