import type { NewFlow } from "./flows.js";
import type { InsertedSchedule, NewSchedule } from "./schedules.js";
import type { NewTask, Settlement, Submitted } from "./store.js";

/** A value in a statement on a foreign transaction. Every driver binds these the same way. */
export type SqlParameter = string | number | null;

/** A row by column name. Drivers differ in what they make of numbers: read them with `Number`. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A statement in the dialect of its {@link Executor}. Parameters stand as `?`, in order, and a `?` is nothing else. */
export interface SqlStatement {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

export type SqlDialect = "sqlite" | "postgres";

/** A transaction of the application, whatever library it came from, as something that a statement can run on. */
export interface Executor {
  readonly dialect: SqlDialect;
  /** The library, for messages: `Kysely`. */
  readonly library: string;
  /** What connections come from: a pool, a client, a handle. All of one source reach the same database. */
  readonly source: object;
  /** What statements run on. Two transactions with the same one run on the same connection. */
  readonly connection: object;
  /** Statements are done when {@link Executor.run} returns, and the application may not be able to wait for a promise. */
  readonly synchronous: boolean;
  /** Throws when it is known that no transaction is open, or that it has failed already. */
  readonly assertOpen: () => void;
  /** Runs a statement. A promise exactly when the executor is not `synchronous`. Rejects with the library's own error. */
  readonly run: (statement: SqlStatement) => readonly SqlRow[] | Promise<readonly SqlRow[]>;
}

/** Statements one after another, each decided by the answers to those before; returns what they lead to. */
export type SqlSteps<T> = Generator<SqlStatement, T, readonly SqlRow[]>;

/**
 * Writes on transactions of the application, on the database that the backend uses. Nothing here begins, commits or rolls
 * back anything, and no statement fails in a healthy transaction: conflicts are resolved in SQL.
 */
export interface TransactionWriter {
  readonly dialect: SqlDialect;

  /** Checks the tables, and reads what the other methods need to know. Call once before them; again, it reads it anew. */
  ready(): Promise<void>;

  /** Reads only. Throws `TransactionError`, naming both databases, when the transaction is on another one than the tables. */
  check(executor: Executor): SqlSteps<void>;

  /**
   * As `Store.submit`, with the wake-up that follows the commit.
   *
   * @param lockTimeoutMs - How long to wait for a unique key that another open transaction holds. Throws
   *   `StoreUnavailableError` then, and leaves the transaction healthy.
   */
  submit(tasks: readonly NewTask[], lockTimeoutMs: number): SqlSteps<Submitted[]>;

  /**
   * As `Schedules.insert`, with the wake-up that follows the commit.
   *
   * @param lockTimeoutMs - How long to wait for a name that another open transaction holds. Throws `StoreUnavailableError`
   *   then, and leaves the transaction healthy.
   */
  insertSchedule(schedule: NewSchedule, lockTimeoutMs: number): SqlSteps<InsertedSchedule>;

  /**
   * As `Flows.open`, of a new chain or iterable, with the wake-up that follows the commit. Nobody else sees it before, so
   * nobody waits for it.
   *
   * @param members - Of an iterable: its first elements. When they are all, `steps` says so, and without any it ends at once.
   */
  openFlow(flow: NewFlow, members: readonly NewTask[]): SqlSteps<void>;

  /**
   * More elements of an iterable that was opened in the same transaction.
   *
   * @param size - How many it has, with the last of them; `null`: there are more to come.
   */
  addElements(id: string, elements: readonly NewTask[], size: number | null): SqlSteps<void>;

  /** Takes back an iterable that was opened in the same transaction, with its elements. */
  dropFlow(id: string): SqlSteps<void>;

  /** As `Store.finish`, for one success. `false`: the consumer does not hold the message any more, and nothing was written. */
  finish(consumer: string, settlement: Settlement): SqlSteps<boolean>;
}
