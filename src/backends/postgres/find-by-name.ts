import { madeFrom, mayBeMade, nameSearch, newest, type NamedRow, type ScannedRow } from "../sql/name-search.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

const { scanned, compared, step } = nameSearch;

const tables = ["message", "task"] as const;
type Table = (typeof tables)[number];

const namedSql = Object.fromEntries(
  tables.map((table) => [
    table,
    statement(
      `named-${table}`,
      `SELECT id, queued_at FROM {${table}} WHERE project = $1 AND name = $2 ORDER BY seq DESC LIMIT ${compared}`,
    ),
  ]),
) as Record<Table, ReturnType<typeof statement>>;

const scanSql = Object.fromEntries(
  tables.map((table) => [
    table,
    statement(
      `scan-${table}`,
      `SELECT seq, id, name, queued_at FROM {${table}} WHERE seq < $2 AND project = $1 ORDER BY seq DESC LIMIT ${step}`,
    ),
  ]),
) as Record<Table, ReturnType<typeof statement>>;

/** The newest task with a name, given or made from its id. */
export async function findByName(database: Queries, name: string): Promise<string | undefined> {
  const rows = await Promise.all(tables.map((table) => database.all<NamedRow>(namedSql[table], [name])));
  const named = newest(rows.flat());
  if (named !== undefined) return named.id;
  if (!mayBeMade(name)) return undefined;
  return newest(await Promise.all(tables.map((table) => scan(database, table, name))))?.id;
}

async function scan(database: Queries, table: Table, name: string): Promise<NamedRow | undefined> {
  let before = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < scanned; looked += step) {
    const rows = await database.all<ScannedRow>(scanSql[table], [before]);
    const found = madeFrom(rows, name);
    if (found !== undefined || rows.length < step) return found;
    before = rows.at(-1)?.seq ?? 0;
  }
  return undefined;
}
