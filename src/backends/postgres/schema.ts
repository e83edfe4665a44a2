import type { Schema, SchemaStatus } from "../../contracts/backend.js";
import { ConfigError, SchemaError } from "../../errors.js";
import {
  assertUsable,
  migrationScript,
  pendingMigrations,
  schemaStatus,
  type AppliedVersion,
  type Migration,
} from "../sql/migration.js";
import type { Connections, Send } from "./connections.js";
import { migrations as ownMigrations } from "./migrations/index.js";
import { rendered, statement, unnamed } from "./statement.js";

const hasTables = statement(
  "has-tables",
  "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace " +
    "WHERE n.nspname = $1 AND c.relname = 'qluster_schema') AS found",
);
const hasSchema = statement(
  "has-schema",
  "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS found",
);
const readVersions = statement(
  "read-versions",
  'SELECT version, works_from AS "worksFrom" FROM {schema}.qluster_schema',
);
const addVersion = statement(
  "add-version",
  "INSERT INTO {schema}.qluster_schema (version, works_from, applied_at) VALUES ($1, $2, {now})",
);
/** Held to the end of the transaction, so that one process at a time changes the tables of one schema. */
const lockChanges = statement("lock-changes", "SELECT pg_advisory_xact_lock(hashtext('qluster schema'), hashtext($1))");
const createSchema = statement("create-schema", "CREATE SCHEMA IF NOT EXISTS {schema}");

/** The tables in one schema of the database, and how to bring them up to date. */
export class PostgresSchema implements Schema {
  readonly #connections: Connections;
  readonly #migrations: readonly Migration[];

  /** @param migrations - Others than this code's own in tests only. */
  constructor(connections: Connections, migrations: readonly Migration[] = ownMigrations) {
    this.#connections = connections;
    this.#migrations = migrations;
  }

  status(): Promise<SchemaStatus> {
    return this.#status((sql, parameters) => this.#connections.query(sql, parameters));
  }

  /** @throws {SchemaError} when this role may not create tables. */
  async migrate(): Promise<number[]> {
    const applied: number[] = [];
    // Looks first: a role that may use the tables need not be one that may create them.
    while (pendingMigrations(await this.status(), this.#migrations).length > 0) {
      const version = await this.#applied();
      if (version === undefined) break;
      applied.push(version);
    }
    return applied;
  }

  async sql(which: "pending" | "all"): Promise<string> {
    const status = await this.status();
    const wanted = which === "all" ? this.#migrations : pendingMigrations(status, this.#migrations);
    if (wanted.length === 0) return "";
    const start = which === "all" || status.version === 0 ? `${createSchema.text};\n\n` : "";
    return rendered(start + migrationScript(wanted.map(recorded)), this.#connections.schema);
  }

  /** @throws {SchemaError} when this code cannot work with the tables. */
  async assertUsable(): Promise<void> {
    assertUsable(await this.status(), this.#connections.place);
  }

  async #applied(): Promise<number | undefined> {
    try {
      return await this.#connections.transaction((send) => this.#applyNext(send));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new SchemaError(
        `The Qluster tables in ${this.#connections.place} have to be created or changed, and this role may not do it. ` +
          "Run `npx qluster migrate` as a role that may, or let it apply what `npx qluster migrate sql` prints.",
        { cause: error },
      );
    }
  }

  /** Looks again inside the transaction: another process may have been faster. */
  async #applyNext(send: Send): Promise<number | undefined> {
    await send(lockChanges, [this.#connections.schema]);
    const [next] = pendingMigrations(await this.#status(send), this.#migrations);
    if (next === undefined) return undefined;
    // Asks for the right to create schemas even where there is one already.
    const { rows } = await send(hasSchema, [this.#connections.schema]);
    if (!(rows[0] as { found: boolean }).found) await send(createSchema, []);
    for (const text of statementsOf(next.sql)) await send(statement(unnamed, text), []);
    await send(addVersion, [next.version, next.worksFrom]);
    return next.version;
  }

  async #status(send: Send): Promise<SchemaStatus> {
    const { rows } = await send(hasTables, [this.#connections.schema]);
    if (!(rows[0] as { found: boolean }).found) return schemaStatus([], this.#migrations);
    return schemaStatus((await send(readVersions, [])).rows as AppliedVersion[], this.#migrations);
  }
}

/** For those who apply it by hand: with the line that says that it was. */
function recorded(migration: Migration): Migration {
  const { version, worksFrom, sql } = migration;
  const text = addVersion.text.replace("$1", String(version)).replace("$2", String(worksFrom));
  return { ...migration, sql: `${sql.trim()}\n${text};\n` };
}

/** A prepared statement is one statement. In our migrations each ends at the end of a line, functions at `$$;`. */
function statementsOf(sql: string): string[] {
  const statements: string[] = [];
  let current = "";
  for (const line of sql.split("\n")) {
    current += `${line}\n`;
    const isInFunction = (current.match(/\$\$/g) ?? []).length % 2 === 1;
    if (!line.trimEnd().endsWith(";") || isInFunction) continue;
    statements.push(current);
    current = "";
  }
  return statements;
}
