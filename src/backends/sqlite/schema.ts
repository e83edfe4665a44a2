import type { Schema, SchemaStatus } from "../../contracts/backend.js";
import type { Clock } from "../../contracts/clock.js";
import {
  assertUsable,
  migrationScript,
  pendingMigrations,
  schemaStatus,
  type AppliedVersion,
  type Migration,
} from "../sql/migration.js";
import type { Connection } from "./connection.js";
import { migrations as ownMigrations } from "./migrations/index.js";

/** The tables in the file, and how to bring them up to date. */
export class SqliteSchema implements Schema {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #place: string;
  readonly #migrations: readonly Migration[];

  /** @param migrations - Others than this code's own in tests only. */
  constructor(connection: Connection, clock: Clock, place: string, migrations: readonly Migration[] = ownMigrations) {
    this.#connection = connection;
    this.#clock = clock;
    this.#place = place;
    this.#migrations = migrations;
  }

  status(): Promise<SchemaStatus> {
    return this.#connection.read(() => this.#status());
  }

  async migrate(): Promise<number[]> {
    const applied: number[] = [];
    for (;;) {
      const version = await this.#connection.transaction(() => this.#applyNext());
      if (version === undefined) return applied;
      applied.push(version);
    }
  }

  async sql(which: "pending" | "all"): Promise<string> {
    return migrationScript(
      which === "all" ? this.#migrations : pendingMigrations(await this.status(), this.#migrations),
    );
  }

  /** @throws {SchemaError} when this code cannot work with the tables. */
  assertUsable(): void {
    assertUsable(this.#status(), this.#place);
  }

  /** Looks again inside the transaction: another process may have been faster. */
  #applyNext(): number | undefined {
    const [next] = pendingMigrations(this.#status(), this.#migrations);
    if (next === undefined) return undefined;
    this.#connection.script(next.sql);
    this.#connection.run("INSERT INTO qluster_schema (version, works_from, applied_at) VALUES (?, ?, ?)", [
      next.version,
      next.worksFrom,
      this.#clock.now(),
    ]);
    return next.version;
  }

  #status(): SchemaStatus {
    return schemaStatus(this.#applied(), this.#migrations);
  }

  #applied(): AppliedVersion[] {
    const exists = this.#connection.all(
      "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'qluster_schema'",
      [],
    );
    if (exists.length === 0) return [];
    return this.#connection.all<AppliedVersion>("SELECT version, works_from AS worksFrom FROM qluster_schema", []);
  }
}
