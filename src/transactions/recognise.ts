import type { Executor } from "../contracts/transaction.js";
import { TransactionError } from "../errors.js";
import { drizzle } from "./drizzle.js";
import { knex } from "./knex.js";
import { kysely } from "./kysely.js";
import { libsqlClient } from "./libsql-client.js";
import { mikroOrm } from "./mikro-orm.js";
import { pgClient } from "./pg-client.js";
import { postgresJs } from "./postgres-js.js";
import { prisma } from "./prisma.js";
import { sequelize } from "./sequelize.js";
import { shapeOf } from "./shape.js";
import { sqliteHandle } from "./sqlite-handle.js";
import { typeorm } from "./typeorm.js";

/** The most particular shapes first: an ORM's object may look like a driver's as well. */
const recognisers = [
  prisma,
  kysely,
  knex,
  drizzle,
  mikroOrm,
  typeorm,
  sequelize,
  postgresJs,
  libsqlClient,
  sqliteHandle,
  pgClient,
] as const;

/**
 * A transaction of any library that is known here, by its shape: no library is imported for it.
 *
 * @throws {TransactionError} for anything else, and for a pool or a database, of which a transaction is still to be made.
 */
export function recogniseTransaction(tx: unknown): Executor {
  const shape = shapeOf(tx);
  if (shape !== undefined) {
    for (const recogniser of recognisers) {
      const executor = recogniser(shape);
      if (executor !== undefined) return executor;
    }
  }
  throw new TransactionError(
    `${described(tx)} is no transaction that is known here. Known are, on Postgres: a client of pg after BEGIN, the \`sql\` ` +
      "of postgres.js's sql.begin, and the transactions of Kysely, Knex, Drizzle, Prisma, TypeORM (entity manager or query " +
      "runner), MikroORM (entity manager) and Sequelize; on SQLite: a handle of better-sqlite3, libsql or node:sqlite with an " +
      "open transaction, and the transactions of @libsql/client, Kysely, Knex, Drizzle, Prisma and TypeORM. " +
      "Of other libraries, hand in the driver's own connection.",
  );
}

function described(tx: unknown): string {
  if (typeof tx === "function") return `A function${tx.name === "" ? "" : ` (${tx.name})`}`;
  if (typeof tx !== "object" || tx === null) return String(tx);
  const name: unknown = Object.getPrototypeOf(tx)?.constructor?.name;
  return typeof name === "string" && name !== "Object" ? `This ${name}` : "This object";
}
