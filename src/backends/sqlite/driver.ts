import { ClientMissingError } from "../../errors.js";

/** What an SQLite driver can bind: booleans and `undefined` are none of it. */
export type SqlValue = string | number | null;

/** The part of an SQLite driver that this backend uses. Every call blocks until it is done. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

export interface SqliteStatement {
  /** Resolves to the number of rows that a writing statement changed. */
  run(parameters: readonly SqlValue[]): number;
  /** Every row, by column name. The caller says which shape its own statement gives. */
  all<Row>(parameters: readonly SqlValue[]): Row[];
}

export interface SqliteDriver {
  readonly name: "node:sqlite" | "libsql" | "better-sqlite3";
  /** Whether a statement that met a lock is closed at once, and with it the view of the file that it had. */
  readonly closesLocked: boolean;
  /** Opens a file, and creates it when there is none. Throws the driver's own errors. */
  open(file: string): SqliteDatabase;
}

/**
 * The SQLite that this Node has: its own `node:sqlite` from 22.13 on, else the package `libsql`.
 *
 * @throws {ClientMissingError} when there is neither.
 */
export async function loadDriver(): Promise<SqliteDriver> {
  return nodeDriver() ?? (await libsqlDriver());
}

/** What an application may hand in: the class of `better-sqlite3`, `libsql` or `node:sqlite`. */
export type SqliteClass = ForeignConstructor;

/** The driver that an application uses itself, by its class. */
export function driverOf(Class: SqliteClass): SqliteDriver {
  if (Class.name === "DatabaseSync") return spreading(Class);
  if ("sync" in Class.prototype) return libsqlOf(Class);
  return { name: "better-sqlite3", closesLocked: true, open: (file) => numbersNamed(inArrays(new Class(file))) };
}

/** better-sqlite3 takes `?1` for a parameter with the name 1. */
function numbersNamed(database: SqliteDatabase): SqliteDatabase {
  return {
    ...database,
    prepare(sql) {
      const statement = database.prepare(sql);
      if (!/\?\d/.test(sql)) return statement;
      return {
        run: (parameters) => statement.run(named(parameters)),
        all: <Row>(parameters: readonly SqlValue[]) => statement.all<Row>(named(parameters)),
      };
    },
  };
}

function named(parameters: readonly SqlValue[]): readonly SqlValue[] {
  return Object.fromEntries(parameters.map((value, index) => [index + 1, value])) as unknown as readonly SqlValue[];
}

/** Opens a file by {@link loadDriver}'s driver, for tools that need a plain connection. */
export async function openDriver(file: string): Promise<SqliteDatabase> {
  return (await loadDriver()).open(file);
}

/** The shape in which `node:sqlite` and `libsql` are the same. */
interface ForeignDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): ForeignStatement;
  close(): unknown;
}

interface ForeignStatement {
  run(...parameters: readonly unknown[]): { readonly changes: number | bigint };
  all(...parameters: readonly unknown[]): unknown[];
}

interface ForeignConstructor {
  new (file: string): ForeignDatabase;
  readonly name: string;
  readonly prototype: object;
}

/** `undefined` on a Node without `node:sqlite`, or that still hides it behind a flag. */
export function nodeDriver(): SqliteDriver | undefined {
  const sqlite = withoutExperimentalWarning(() => process.getBuiltinModule("node:sqlite"));
  if (sqlite === undefined) return undefined;
  const { DatabaseSync } = sqlite as unknown as { DatabaseSync: ForeignConstructor };
  return spreading(DatabaseSync);
}

function spreading(DatabaseSync: ForeignConstructor): SqliteDriver {
  return {
    name: "node:sqlite",
    closesLocked: true,
    open: (file) =>
      adapted(
        new DatabaseSync(file),
        (statement, parameters) => Number(statement.run(...parameters).changes),
        (statement, parameters) => statement.all(...parameters),
      ),
  };
}

/** @throws {ClientMissingError} when the package, or its binary for this machine, is not installed. */
export async function libsqlDriver(): Promise<SqliteDriver> {
  return libsqlOf(await importLibsql());
}

function libsqlOf(Libsql: ForeignConstructor): SqliteDriver {
  return { name: "libsql", closesLocked: false, open: (file) => inArrays(new Libsql(file)) };
}

/** One array instead of many parameters: libsql mistakes a lone `null` for a set of named ones. */
function inArrays(database: ForeignDatabase): SqliteDatabase {
  return adapted(
    database,
    (statement, parameters) => Number(statement.run(parameters).changes),
    (statement, parameters) => statement.all(parameters),
  );
}

async function importLibsql(): Promise<ForeignConstructor> {
  try {
    const module = (await import("libsql")) as unknown as { default: ForeignConstructor };
    return module.default;
  } catch (cause) {
    throw new ClientMissingError("libsql", "SQLite", cause, "Node.js 22.13 and later need no package for it.");
  }
}

function adapted(
  database: ForeignDatabase,
  run: (statement: ForeignStatement, parameters: readonly SqlValue[]) => number,
  all: (statement: ForeignStatement, parameters: readonly SqlValue[]) => unknown[],
): SqliteDatabase {
  return {
    exec: (sql) => void database.exec(sql),
    close: () => void database.close(),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        run: (parameters) => run(statement, parameters),
        all: <Row>(parameters: readonly SqlValue[]) => all(statement, parameters) as Row[],
      };
    },
  };
}

/**
 * Node 22 warns when `node:sqlite` is first loaded, in every process. What is used here has not changed since, so that one
 * line is held back, for the moment of loading, and nothing else.
 */
function withoutExperimentalWarning<T>(load: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was, and called on its owner
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    const isOurs = rest[0] === "ExperimentalWarning" && String(warning).includes("SQLite");
    if (!isOurs) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
