import type { SchemaStatus } from "../../contracts/backend.js";
import { SchemaError } from "../../errors.js";

/** One version of the tables. */
export interface Migration {
  /** Counts up from 1. */
  readonly version: number;
  /** The lowest version of the code that still works once this is applied: expand first, contract a release later. */
  readonly worksFrom: number;
  readonly name: string;
  /** Statements, each ended by a semicolon. */
  readonly sql: string;
}

/** What the table `qluster_schema` says. */
export interface AppliedVersion {
  readonly version: number;
  readonly worksFrom: number;
}

export function schemaStatus(applied: readonly AppliedVersion[], migrations: readonly Migration[]): SchemaStatus {
  const newest = applied.reduce<AppliedVersion | undefined>(
    (best, one) => (best === undefined || one.version > best.version ? one : best),
    undefined,
  );
  return { version: newest?.version ?? 0, wanted: latestVersion(migrations), worksFrom: newest?.worksFrom ?? 0 };
}

function latestVersion(migrations: readonly Migration[]): number {
  return migrations.reduce((highest, { version }) => Math.max(highest, version), 0);
}

export function pendingMigrations(status: SchemaStatus, migrations: readonly Migration[]): Migration[] {
  return migrations.filter(({ version }) => version > status.version);
}

/** The migrations as one script, for people and for `qluster migrate sql`. */
export function migrationScript(migrations: readonly Migration[]): string {
  return migrations.map(({ version, name, sql }) => `-- ${version}: ${name}\n${sql.trim()}\n`).join("\n");
}

/**
 * Tables that are newer than this code are welcome as long as they say so: old and new code run together.
 *
 * @param place - The database, for the message.
 * @throws {SchemaError} when the tables are missing, too old, or too new.
 */
export function assertUsable(status: SchemaStatus, place: string): void {
  if (status.version === 0) {
    throw new SchemaError(`The database "${place}" has no Qluster tables. Create them: npx qluster migrate`);
  }
  if (status.version < status.wanted) {
    throw new SchemaError(
      `The Qluster tables in "${place}" have version ${status.version}, and this code needs version ${status.wanted}. ` +
        "Bring them up to date: npx qluster migrate",
    );
  }
  if (status.wanted < status.worksFrom) {
    throw new SchemaError(
      `The Qluster tables in "${place}" have version ${status.version}, which works with code from version ` +
        `${status.worksFrom} on; this code has version ${status.wanted}. Install a newer release of qluster.`,
    );
  }
}
