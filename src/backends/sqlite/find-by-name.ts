import { setImmediate as turn } from "node:timers/promises";
import { madeFrom, mayBeMade, nameSearch, newest, type NamedRow, type ScannedRow } from "../sql/name-search.js";
import type { ProjectFile, Session } from "./project-file.js";

const { scanned, compared, step } = nameSearch;

/** The newest task with a name, given or made from its id. */
export async function findByName(file: ProjectFile, name: string): Promise<string | undefined> {
  const named = await file.read((session) => newest(tables.map((table) => newestNamed(session, table, name))));
  if (named !== undefined) return named.id;
  if (!mayBeMade(name)) return undefined;
  const found: (NamedRow | undefined)[] = [];
  for (const table of tables) found.push(await scan(file, table, name));
  return newest(found)?.id;
}

const tables = ["qluster_message", "qluster_task"] as const;

function newestNamed(session: Session, table: (typeof tables)[number], name: string): NamedRow | undefined {
  const rows = session.all<NamedRow>(
    `SELECT id, queued_at FROM ${table} INDEXED BY ${table}_name WHERE project = ? AND name = ?
     ORDER BY seq DESC LIMIT ${compared}`,
    [session.project, name],
  );
  return newest(rows);
}

async function scan(file: ProjectFile, table: (typeof tables)[number], name: string): Promise<NamedRow | undefined> {
  const sql = `SELECT seq, id, name, queued_at FROM ${table} NOT INDEXED WHERE seq < ? AND project = ? ORDER BY seq DESC LIMIT ?`;
  let before = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < scanned; looked += step) {
    const rows = await file.read((session) => session.all<ScannedRow>(sql, [before, session.project, step]));
    const found = madeFrom(rows, name);
    if (found !== undefined || rows.length < step) return found;
    before = rows.at(-1)?.seq ?? 0;
    await turn();
  }
  return undefined;
}
