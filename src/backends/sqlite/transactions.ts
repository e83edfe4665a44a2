import type { BackendOptions } from "../../contracts/backend.js";
import type { NewFlow } from "../../contracts/flows.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import type { InsertedSchedule, NewSchedule } from "../../contracts/schedules.js";
import type { NewTask, Settlement, Submitted } from "../../contracts/store.js";
import type { Executor, SqlRow, SqlStatement, SqlSteps, TransactionWriter } from "../../contracts/transaction.js";
import { StoreUnavailableError, TransactionError } from "../../errors.js";
import { DatabaseFile } from "./database-file.js";
import { addElementsSteps, dropFlowSteps, openFlowSteps } from "./flow-steps.js";
import { detailTables } from "./held-messages.js";
import { insertEndedSteps, type EndedRow } from "./insert-ended.js";
import { insertMessagesSteps } from "./insert-messages.js";
import type { Moment } from "./project-file.js";
import { consumerNumber, heldMessage, type HeldMessage } from "../sql/receipt.js";
import { rollUpSteps } from "./rollup.js";
import { insertScheduleSteps } from "./schedule-changes.js";
import { keepOutcomeSteps } from "./schedule-runs.js";
import { isBusyInside } from "./sqlite-error.js";
import { keyHolderSteps } from "./store-submit.js";

export interface SqliteWriterParts {
  /** The absolute path of the file. */
  readonly location: string;
  readonly project: string;
  readonly now: () => number;
  /** Given when a broker elsewhere carries the messages. */
  readonly outbox: OutboxOptions | null;
  /** Checks the tables, and enters the project. */
  readonly ready: () => Promise<void>;
  /** The SQLite that this process has the file open with, if it has. */
  readonly library?: { readonly name: string; readonly build: string } | undefined;
}

/** What tells one copy of SQLite from another: its source, and how it was compiled. Reads no table, and so begins nothing. */
export const buildSql = `
  WITH RECURSIVE option (n, part) AS (
    SELECT 0, sqlite_source_id() UNION ALL SELECT n + 1, sqlite_compileoption_get(n) FROM option WHERE part IS NOT NULL)
  SELECT part FROM option`;

export function buildText(rows: readonly SqlRow[]): string {
  return rows.map(({ part }) => String(part)).join("\n");
}

/** Writes on transactions that the application has opened on the same file, through whatever driver. */
export class SqliteWriter implements TransactionWriter {
  readonly dialect = "sqlite";
  readonly #parts: SqliteWriterParts;
  #project: number | undefined;

  constructor(parts: SqliteWriterParts) {
    this.#parts = parts;
  }

  async ready(): Promise<void> {
    await this.#parts.ready();
  }

  *check({ library }: Executor): SqlSteps<void> {
    const databases = yield { sql: "PRAGMA database_list", parameters: [] };
    const main = databases.find(({ name }) => name === "main")?.["file"];
    const file = typeof main === "string" ? main : "";
    const ours = new DatabaseFile(this.#parts.location);
    if (ours.isAt(file)) return yield* this.#checkCopy(library);
    throw new TransactionError(
      `This transaction of ${library} is on ${file === "" ? "a database in memory" : `"${file}"`}, and Qluster's tables ` +
        `are in "${ours.path}": they cannot commit together. Let \`database\` name the application's own file ` +
        `("sqlite:${file === "" ? "data/app.db" : file}"), or use q.afterCommit.`,
    );
  }

  /** Two copies of SQLite in one process do not see each other's locks: they would write at once, and damage the file. */
  *#checkCopy(library: string): SqlSteps<void> {
    const ours = this.#parts.library;
    if (ours === undefined || buildText(yield { sql: buildSql, parameters: [] }) === ours.build) return;
    throw new TransactionError(
      `${library} and Qluster (${ours.name}) have brought two copies of SQLite into this process, which do not see each ` +
        "other's locks: writing to one file, they would damage it. Hand Qluster the library that the application uses: " +
        'createQluster(config, { sqlite: Database }), with Database from "better-sqlite3", "libsql" or "node:sqlite".',
    );
  }

  *submit(tasks: readonly NewTask[], lockTimeoutMs: number): SqlSteps<Submitted[]> {
    if (tasks.every(({ unique }) => unique === null)) {
      const at = yield* this.#moment();
      const created = yield* insertMessagesSteps(at, tasks);
      return tasks.map(({ id }) => ({ id, created: created.delete(id) }));
    }
    return yield* this.#locked(lockTimeoutMs, "unique key", (at) => submitUnique(at, tasks));
  }

  *insertSchedule(schedule: NewSchedule, lockTimeoutMs: number): SqlSteps<InsertedSchedule> {
    return yield* this.#locked(lockTimeoutMs, "name", (at) => insertScheduleSteps(at, schedule));
  }

  /** What somebody may hold is asked for under the write lock. @param what - For messages. */
  *#locked<T>(lockTimeoutMs: number, what: string, work: (at: Moment) => SqlSteps<T>): SqlSteps<T> {
    const before = yield* setBusyTimeout(lockTimeoutMs);
    try {
      yield takeWriteLock;
      return yield* work(yield* this.#moment());
    } catch (error) {
      throw isBusyInside(error) ? heldTooLong(lockTimeoutMs, what, error) : error;
    } finally {
      yield* setBusyTimeout(before);
    }
  }

  *openFlow(flow: NewFlow, members: readonly NewTask[]): SqlSteps<void> {
    yield* openFlowSteps(yield* this.#moment(), flow, members);
  }

  *addElements(id: string, elements: readonly NewTask[], size: number | null): SqlSteps<void> {
    yield* addElementsSteps(yield* this.#moment(), id, elements, size);
  }

  *dropFlow(id: string): SqlSteps<void> {
    yield* dropFlowSteps(yield* this.#moment(), id);
  }

  *finish(consumer: string, { receipt, id, attempt, outcome, followUps }: Settlement): SqlSteps<boolean> {
    if (outcome.to !== "succeeded") throw new Error(`Only a success ends in a transaction, not "${outcome.to}".`);
    const at = yield* this.#moment();
    const owner = consumerNumber(consumer);
    const message = { ...heldMessage(receipt), id };
    if (outcome.keep) {
      const stored = yield* insertEndedSteps(at.now, owner, { ...message, attempt, outcome });
      if (stored === undefined) return false;
    }
    const row = yield* removeHeld(message, owner);
    if (row === undefined) return false;
    if (!outcome.keep) {
      yield* forgetDetails(at, id);
      yield* keepOutcomeSteps(at, { ...row, id, state: outcome.to });
    }
    const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
    yield* rollUpSteps(at, [{ ...row, state: outcome.to, ranMs }]);
    yield* insertMessagesSteps(at, followUps);
    return true;
  }

  *#moment(): SqlSteps<Moment> {
    const { project: name, outbox } = this.#parts;
    const now = Math.floor(this.#parts.now());
    if (this.#project !== undefined) return { project: this.#project, now, outbox };
    yield takeWriteLock;
    const [row] = yield { sql: "SELECT seq FROM qluster_project WHERE name = ?", parameters: [name] };
    if (row === undefined) {
      throw new StoreUnavailableError(
        `The transaction began before the project "${name}" was entered in its database. Call q.open() before the first one.`,
      );
    }
    return { project: (this.#project = Number(row["seq"])), now, outbox };
  }
}

/** SQLite waits for the lock only before a transaction has read anything: so before we do. */
const takeWriteLock: SqlStatement = { sql: "DELETE FROM qluster_project WHERE 0 RETURNING seq", parameters: [] };

/** One after another: two with one key may be among them. */
function* submitUnique(at: Moment, tasks: readonly NewTask[]): SqlSteps<Submitted[]> {
  const submitted: Submitted[] = [];
  for (const task of tasks) {
    const holder = yield* keyHolderSteps(at, task);
    const created = holder === undefined && (yield* insertMessagesSteps(at, [task])).has(task.id);
    submitted.push({ id: holder ?? task.id, created });
  }
  return submitted;
}

/** Returns what it was before, in milliseconds. */
function* setBusyTimeout(ms: number): SqlSteps<number> {
  const [before] = yield { sql: "PRAGMA busy_timeout", parameters: [] };
  yield { sql: `PRAGMA busy_timeout = ${Math.max(0, Math.floor(ms))}`, parameters: [] };
  return Number(before?.["timeout"] ?? 0);
}

function heldTooLong(ms: number, what: string, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `Another transaction holds the only write lock of the database, and may hold the ${what}. It was waited for ${ms} ms ` +
      "(option `lockTimeout`), or not at all in a transaction that has read already. Nothing was written, and this " +
      'transaction can go on. Keep transactions short, and begin those that write with "BEGIN IMMEDIATE".',
    { cause },
  );
}

interface HeldRow extends EndedRow {
  readonly parent: string | null;
}

function* removeHeld({ seq, id }: HeldMessage, owner: number): SqlSteps<HeldRow | undefined> {
  const [row] = yield {
    sql: "DELETE FROM qluster_message WHERE seq = ? AND id = ? AND owner = ? RETURNING queue, kind, parent",
    parameters: [seq, id, owner],
  };
  return row as HeldRow | undefined;
}

function* forgetDetails({ project }: Moment, id: string): SqlSteps<void> {
  for (const table of detailTables) {
    yield { sql: `DELETE FROM ${table} WHERE project = ? AND id = ? RETURNING id`, parameters: [project, id] };
  }
}

/** The writer without a connection of its own, for a process that only ends tasks. The tables must be there. */
export function writerAt({ location, project }: BackendOptions): TransactionWriter {
  return new SqliteWriter({ location, project, now: Date.now, outbox: null, ready: async () => {} });
}
