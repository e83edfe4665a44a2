/** The part of an SQLite driver that the shop uses; `node:sqlite` and `libsql` both have it. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

export interface Statement {
  run(...parameters: readonly (string | number)[]): { readonly changes: number | bigint };
  get(...parameters: readonly (string | number)[]): unknown;
  all(...parameters: readonly (string | number)[]): unknown[];
}

type DatabaseClass = new (file: string) => Database;

/** Opens an SQLite file that several processes write to. */
export async function openDatabase(file: string): Promise<Database> {
  const Sqlite = await sqlite();
  const database = new Sqlite(file);
  database.exec("pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal;");
  return database;
}

async function sqlite(): Promise<DatabaseClass> {
  const own = process.getBuiltinModule("node:sqlite") as unknown as { DatabaseSync: DatabaseClass } | undefined;
  if (own !== undefined) return own.DatabaseSync;
  const { default: Libsql } = (await import("libsql")) as unknown as { default: DatabaseClass };
  return Libsql;
}
