import type { Queries } from "./connections.js";
import { forgetDetails } from "./held-messages.js";
import { statement, type Statement } from "./statement.js";

const isWaiting = "(owner IS NULL OR owner = 0)";
const count = (name: string, which: string): Statement =>
  statement(
    name,
    `SELECT count(*) AS n FROM {message} WHERE ${which} AND project = $1 AND ($2::text IS NULL OR queue = $2)`,
  );
const empty = (name: string, which: string): Statement =>
  statement(
    name,
    `WITH gone AS (DELETE FROM {message} WHERE project = $1 AND queue = $2${which} RETURNING id), ${forgetDetails}
     SELECT count(*) AS n FROM gone`,
  );

const waitingSql = count("count-waiting", isWaiting);
const heldSql = count("count-held", "owner > 0");
const purgeSql = empty("purge-queue", ` AND ${isWaiting}`);
const deleteSql = empty("delete-queue", "");

/** Waiting messages of one queue, or of all. */
export async function countWaiting(database: Queries, queue: string | undefined): Promise<number> {
  return (await database.first<{ n: number }>(waitingSql, [queue ?? null]))?.n ?? 0;
}

/** Held messages of one queue, or of all. */
export async function countHeld(database: Queries, queue: string | undefined): Promise<number> {
  return (await database.first<{ n: number }>(heldSql, [queue ?? null]))?.n ?? 0;
}

/** Removes what waits in a queue, or with `held` all of it, and the attempts and notes that belong to it. */
export async function emptyQueue(database: Queries, queue: string, held: boolean): Promise<number> {
  return (await database.first<{ n: number }>(held ? deleteSql : purgeSql, [queue]))?.n ?? 0;
}
