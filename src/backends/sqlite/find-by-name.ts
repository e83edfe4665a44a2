import { setImmediate as turn } from "node:timers/promises";
import { humanName } from "../../core/ids.js";
import type { ProjectFile, Session } from "./project-file.js";

interface NamedRow {
  readonly id: string;
  readonly queued_at: number;
}

/** So many of the newest tasks are looked through for a name that was made from an id, as no index has it. */
const scanned = 100_000;
/** So many of one name are compared: those that were stored last. */
const compared = 100;
/** Read and compared in one turn of the loop. */
const step = 2_000;

/** The newest task with a name, given or made from its id. */
export async function findByName(file: ProjectFile, name: string): Promise<string | undefined> {
  const named = await file.read((session) => newest(tables.map((table) => newestNamed(session, table, name))));
  if (named !== undefined) return named.id;
  if (!/^[a-z]+(-[a-z]+){3}$/.test(name)) return undefined;
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

function newest(rows: readonly (NamedRow | undefined)[]): NamedRow | undefined {
  const found = rows.filter((row) => row !== undefined);
  return found.sort((a, b) => b.queued_at - a.queued_at || (a.id < b.id ? 1 : -1))[0];
}

async function scan(file: ProjectFile, table: (typeof tables)[number], name: string): Promise<NamedRow | undefined> {
  const sql = `SELECT seq, id, name, queued_at FROM ${table} NOT INDEXED WHERE seq < ? AND project = ? ORDER BY seq DESC LIMIT ?`;
  let before = Number.MAX_SAFE_INTEGER;
  for (let looked = 0; looked < scanned; looked += step) {
    const rows = await file.read((session) =>
      session.all<NamedRow & { seq: number; name: string | null }>(sql, [before, session.project, step]),
    );
    const found = rows.find((row) => row.name === null && isMadeFrom(row.id, name));
    if (found !== undefined || rows.length < step) return found;
    before = rows.at(-1)?.seq ?? 0;
    await turn();
  }
  return undefined;
}

function isMadeFrom(id: string, name: string): boolean {
  // An id that is not ours has no name of its own.
  return /^[0-9a-f]{32}$/.test(id) && humanName(id) === name;
}
