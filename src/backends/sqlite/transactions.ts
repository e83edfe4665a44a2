import type { NewTask, Settlement, Submitted } from "../../contracts/store.js";
import type { Executor, SqlSteps, TransactionWriter } from "../../contracts/transaction.js";
import { StoreUnavailableError, TransactionError } from "../../errors.js";
import { DatabaseFile } from "./database-file.js";
import { detailTables } from "./held-messages.js";
import { insertEndedSteps, type EndedRow } from "./insert-ended.js";
import { insertMessagesSteps, type Moment } from "./insert-messages.js";
import { consumerNumber, heldMessage, type HeldMessage } from "./receipt.js";
import { rollUpSteps } from "./rollup.js";
import { isBusyInside } from "./sqlite-error.js";
import { keyHolderSteps } from "./store-submit.js";

export interface SqliteWriterParts {
  /** The absolute path of the file. */
  readonly location: string;
  readonly project: string;
  readonly now: () => number;
  /** Checks the tables, and enters the project. */
  readonly ready: () => Promise<void>;
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
    const file = String(databases.find(({ name }) => name === "main")?.["file"] ?? "");
    const ours = new DatabaseFile(this.#parts.location);
    if (ours.isAt(file)) return;
    throw new TransactionError(
      `This transaction of ${library} is on ${file === "" ? "a database in memory" : `"${file}"`}, and Qluster's tables ` +
        `are in "${ours.path}": they cannot commit together. Let \`database\` name the application's own file ` +
        `("sqlite:${file === "" ? "data/app.db" : file}"), or use q.afterCommit.`,
    );
  }

  *submit(tasks: readonly NewTask[], lockTimeoutMs: number): SqlSteps<Submitted[]> {
    const at = yield* this.#moment();
    if (tasks.every(({ unique }) => unique === null)) {
      const created = yield* insertMessagesSteps(at, tasks);
      return tasks.map(({ id }) => ({ id, created: created.delete(id) }));
    }
    const before = yield* setBusyTimeout(lockTimeoutMs);
    try {
      return yield* submitUnique(at, tasks);
    } catch (error) {
      throw isBusyInside(error) ? heldTooLong(lockTimeoutMs, error) : error;
    } finally {
      yield* setBusyTimeout(before);
    }
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
    if (!outcome.keep) yield* forgetDetails(at, id);
    const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
    yield* rollUpSteps(at, [{ ...row, state: outcome.to, ranMs }]);
    yield* insertMessagesSteps(at, followUps);
    return true;
  }

  *#moment(): SqlSteps<Moment> {
    const now = Math.floor(this.#parts.now());
    if (this.#project !== undefined) return { project: this.#project, now };
    const { project: name } = this.#parts;
    const [row] = yield { sql: "SELECT seq FROM qluster_project WHERE name = ?", parameters: [name] };
    if (row === undefined) {
      throw new StoreUnavailableError(
        `The transaction began before the project "${name}" was entered in its database. Call q.open() before the first one.`,
      );
    }
    return { project: (this.#project = Number(row["seq"])), now };
  }
}

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

function heldTooLong(ms: number, cause: unknown): StoreUnavailableError {
  return new StoreUnavailableError(
    `Another transaction has held the only write lock of the database for ${ms} ms (option \`lockTimeout\`), so nobody ` +
      "can say whether the unique key is free. Nothing was enqueued, and this transaction can go on. Keep transactions " +
      'short, begin those that write with "BEGIN IMMEDIATE", or give `lockTimeout` more time.',
    { cause },
  );
}

function* removeHeld({ seq, id }: HeldMessage, owner: number): SqlSteps<EndedRow | undefined> {
  const [row] = yield {
    sql: "DELETE FROM qluster_message WHERE seq = ? AND id = ? AND owner = ? RETURNING queue, kind",
    parameters: [seq, id, owner],
  };
  return row as EndedRow | undefined;
}

function* forgetDetails({ project }: Moment, id: string): SqlSteps<void> {
  for (const table of detailTables) {
    yield { sql: `DELETE FROM ${table} WHERE project = ? AND id = ? RETURNING id`, parameters: [project, id] };
  }
}
