import { createClient } from "@libsql/client";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import BetterSqlite3 from "better-sqlite3";
import { sql as drizzleSql } from "drizzle-orm";
import { drizzle as drizzleOnBetter } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzleOnLibsql } from "drizzle-orm/libsql";
import createKnex from "knex";
import { Kysely, sql as kyselySql, SqliteDialect } from "kysely";
import Libsql from "libsql";
import { DataSource } from "typeorm";
import { PrismaClient } from "./generated/sqlite/client.js";
import type { Library, Opened, Work } from "./library.js";

interface Handle {
  exec(sql: string): unknown;
  close(): unknown;
}

const NodeSqlite = (process.getBuiltinModule("node:sqlite") as unknown as { DatabaseSync: SqliteClass } | undefined)
  ?.DatabaseSync;
type SqliteClass = new (file: string) => Handle;
const LibsqlClass = Libsql as unknown as SqliteClass;

/** What each library of SQLite calls a transaction. The application's own table is `item (name)`. */
export const sqliteLibraries: readonly Library[] = [
  { name: "better-sqlite3", sqlite: BetterSqlite3, open: async (file) => openHandle(new BetterSqlite3(file)) },
  { name: "libsql", sqlite: LibsqlClass, open: async (file) => openHandle(new LibsqlClass(file)) },
  ...(NodeSqlite === undefined
    ? []
    : [{ name: "node:sqlite", sqlite: NodeSqlite, open: async (file: string) => openHandle(new NodeSqlite(file)) }]),
  { name: "@libsql/client", sqlite: LibsqlClass, open: async (file) => openLibsqlClient(file) },
  { name: "Drizzle on @libsql/client", sqlite: LibsqlClass, open: async (file) => openDrizzle(file) },
  { name: "Kysely", sqlite: BetterSqlite3, open: async (file) => openKysely(file) },
  { name: "Knex", sqlite: BetterSqlite3, open: async (file) => openKnex(file) },
  { name: "Prisma", sqlite: BetterSqlite3, open: async (file) => openPrisma(file) },
  { name: "TypeORM", sqlite: BetterSqlite3, open: async (file) => openTypeorm(file) },
];

/** The one that cannot wait inside a transaction: its functions are synchronous. */
export function drizzleInTurn(file: string): { db: ReturnType<typeof drizzleOnBetter>; close: () => void } {
  const client = new BetterSqlite3(file);
  return { db: drizzleOnBetter(client), close: () => client.close() };
}

function openHandle(handle: Handle): Opened {
  handle.exec("PRAGMA busy_timeout = 5000");
  const around = async (begin: string, end: string, undo: string, work: () => Promise<void>): Promise<void> => {
    handle.exec(begin);
    try {
      await work();
      handle.exec(end);
    } catch (error) {
      handle.exec(undo);
      throw error;
    }
  };
  const run = async (text: string): Promise<void> => void handle.exec(text);
  return {
    database: handle,
    transaction: (work) => around("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", () => work(handle, run, nested)),
    close: async () => void handle.close(),
  };
  function nested(work: Work): Promise<void> {
    return around("SAVEPOINT inner1", "RELEASE inner1", "ROLLBACK TO inner1; RELEASE inner1", () => work(handle, run));
  }
}

function openLibsqlClient(file: string): Opened {
  const client = createClient({ url: `file:${file}` });
  return {
    database: client,
    transaction: async (work) => {
      const tx = await client.transaction("write");
      const run = async (text: string): Promise<void> => void (await tx.execute(text));
      try {
        await work(tx, run, async (inner) => {
          await run("SAVEPOINT inner1");
          try {
            await inner(tx, run);
          } catch (error) {
            await run("ROLLBACK TO inner1");
            throw error;
          }
        });
        await tx.commit();
      } catch (error) {
        await tx.rollback();
        throw error;
      }
    },
    close: async () => client.close(),
  };
}

function openDrizzle(file: string): Opened {
  const client = createClient({ url: `file:${file}` });
  const db = drizzleOnLibsql(client);
  type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
  const runOn = (tx: Tx) => async (text: string) => void (await tx.run(drizzleSql.raw(text)));
  return {
    database: db,
    transaction: (work) =>
      db.transaction((tx) =>
        work(tx, runOn(tx), (inner) => tx.transaction((nested) => inner(nested, runOn(nested as unknown as Tx)))),
      ),
    close: async () => client.close(),
  };
}

function openKysely(file: string): Opened {
  const db = new Kysely<object>({ dialect: new SqliteDialect({ database: new BetterSqlite3(file) }) });
  return {
    database: db,
    transaction: async (work) => {
      const tx = await db.startTransaction().execute();
      const run = async (text: string): Promise<void> => void (await kyselySql.raw(text).execute(tx));
      try {
        await work(tx, run, async (inner) => {
          const after = await tx.savepoint("inner1").execute();
          try {
            await inner(after, run);
          } catch (error) {
            await after.rollbackToSavepoint("inner1").execute();
            throw error;
          }
        });
        await tx.commit().execute();
      } catch (error) {
        await tx.rollback().execute();
        throw error;
      }
    },
    close: () => db.destroy(),
  };
}

function openKnex(file: string): Opened {
  const knex = createKnex({ client: "better-sqlite3", connection: { filename: file }, useNullAsDefault: true });
  return {
    database: knex,
    transaction: (work) =>
      knex.transaction((trx) =>
        work(
          trx,
          async (text) => void (await trx.raw(text)),
          (inner) => trx.transaction((nested) => inner(nested, async (text) => void (await nested.raw(text)))),
        ),
      ),
    close: () => knex.destroy(),
  };
}

function openPrisma(file: string): Opened {
  const prisma = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${file}` }) });
  return {
    database: prisma,
    transaction: (work) =>
      prisma.$transaction((tx) =>
        work(
          tx,
          async (text) => void (await tx.$executeRawUnsafe(text)),
          (inner) =>
            tx.$transaction((nested) => inner(nested, async (text) => void (await nested.$executeRawUnsafe(text)))),
        ),
      ),
    close: () => prisma.$disconnect(),
  };
}

async function openTypeorm(file: string): Promise<Opened> {
  const source = await new DataSource({ type: "better-sqlite3", database: file }).initialize();
  return {
    database: source,
    transaction: (work) =>
      source.transaction((manager) =>
        work(
          manager,
          async (text) => void (await manager.query(text)),
          (inner) => manager.transaction((nested) => inner(nested, async (text) => void (await nested.query(text)))),
        ),
      ),
    close: () => source.destroy(),
  };
}
