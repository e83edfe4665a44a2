/** Primary result codes of SQLite (the low byte of an extended one) that this backend tells apart. */
const codes = {
  error: 1,
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  schema: 17,
  notADatabase: 26,
} as const;

const away: ReadonlySet<number> = new Set([
  codes.noMemory,
  codes.readOnly,
  codes.io,
  codes.full,
  codes.cannotOpen,
  codes.protocol,
]);

/** How better-sqlite3 spells them: `SQLITE_BUSY_SNAPSHOT` is a kind of `SQLITE_BUSY`. */
const names: readonly (readonly [name: string, code: number])[] = [
  ["SQLITE_BUSY", codes.busy],
  ["SQLITE_LOCKED", codes.locked],
  ["SQLITE_NOMEM", codes.noMemory],
  ["SQLITE_READONLY", codes.readOnly],
  ["SQLITE_IOERR", codes.io],
  ["SQLITE_CORRUPT", codes.corrupt],
  ["SQLITE_FULL", codes.full],
  ["SQLITE_CANTOPEN", codes.cannotOpen],
  ["SQLITE_PROTOCOL", codes.protocol],
  ["SQLITE_SCHEMA", codes.schema],
  ["SQLITE_NOTADB", codes.notADatabase],
  ["SQLITE_ERROR", codes.error],
];

/** The primary result code of a driver's error, or `undefined` when SQLite did not raise it. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode, rawCode } = error as { readonly errcode?: unknown; readonly rawCode?: unknown };
  const code = typeof errcode === "number" ? errcode : rawCode;
  if (typeof code === "number") return code & 0xff;
  const name: unknown = "code" in error ? error.code : undefined;
  if (typeof name === "string") {
    const known = names.find(([prefix]) => name === prefix || name.startsWith(`${prefix}_`));
    if (known !== undefined) return known[1];
  }
  // libsql gives no code when it cannot open a file; the number ends its message.
  const opening = /Unable to open connection to local database .*: (\d+)"?\)?$/s.exec(error.message)?.[1];
  return opening === undefined ? undefined : Number(opening) & 0xff;
}

/** Another connection writes just now: worth trying again. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === codes.busy || code === codes.locked;
}

/** The same of an error that a library may have wrapped into its own, and whose driver may be any. */
export function isBusyInside(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = innerOf(cause), depth += 1) {
    if (isBusy(cause) || /database (table )?is locked/.test(cause.message)) return true;
  }
  return false;
}

/** TypeORM calls it `driverError`. */
function innerOf(error: Error): unknown {
  return error.cause ?? (error as { readonly driverError?: unknown }).driverError;
}

/** The file, the disk or the memory cannot be used at the moment; it may come back. */
export function isAway(error: unknown): boolean {
  const code = resultCode(error);
  return code !== undefined && away.has(code);
}

/** What to do about a file that cannot be used. */
export function advice(error: unknown): string {
  switch (resultCode(error)) {
    case codes.full:
      return "Free some space on its disk.";
    case codes.readOnly:
      return "Let this user write to the file and to its folder.";
    case codes.cannotOpen:
      return "Check that its folder exists, and that this user may write to it.";
    case codes.noMemory:
      return "Give the process more memory.";
    case codes.io:
      return "Check its disk.";
    default:
      return "Look for another program that keeps it locked.";
  }
}

/** The disk failed in the middle: what was being written may be there or not. */
export function isBroken(error: unknown): boolean {
  return resultCode(error) === codes.io;
}

/** The file is damaged, or no SQLite database at all. */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === codes.corrupt || code === codes.notADatabase;
}

/** A table of ours does not exist. */
export function isMissingTable(error: unknown): boolean {
  return (
    resultCode(error) === codes.error && error instanceof Error && /no such (table|column|index)/.test(error.message)
  );
}
