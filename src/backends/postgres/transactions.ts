import type { NewFlow } from "../../contracts/flows.js";
import type { InsertedSchedule, NewSchedule } from "../../contracts/schedules.js";
import type { NewTask, Settlement, Submitted } from "../../contracts/store.js";
import type { Executor, SqlParameter, SqlRow, SqlStatement, SqlSteps } from "../../contracts/transaction.js";
import type { TransactionWriter } from "../../contracts/transaction.js";
import { StoreUnavailableError, TransactionError } from "../../errors.js";
import { textArray } from "./array-literal.js";
import { consumerNumber } from "../sql/receipt.js";
import { endingInside } from "./end-messages.js";
import { addElementsSteps, dropFlowSteps, openFlowSteps, type FlowSteps } from "./flow-steps.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement, type SqlValue, type Statement } from "./statement.js";
import { insertingInside } from "./schedule-changes.js";
import { submittedFrom, submittingInside } from "./submit.js";

/** One server, one database, one table. A copy of the database has other start times, or other numbers. */
const whereSql = statement(
  "where-we-are",
  `SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time())::numeric, d.oid, c.oid) AS identity,
     concat(coalesce(host(inet_server_addr()), 'a local socket'), ':' || inet_server_port(), '/', d.datname) AS database,
     session_user AS role,
     coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND (
       SELECT bool_and(has_table_privilege(t.oid, 'INSERT, UPDATE, DELETE')) FROM pg_catalog.pg_class t
       WHERE t.relnamespace = n.oid AND t.relname IN ('qluster_message', 'qluster_task', 'qluster_rollup', 'qluster_flow', 'qluster_flow_member', 'qluster_schedule')) AND (
       SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_catalog.pg_proc p
       WHERE p.pronamespace = n.oid AND p.proname LIKE 'qluster\\_%'), false)::text AS allowed
   FROM pg_catalog.pg_database d
   LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1::name
   LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = 'qluster_project'
   WHERE d.datname = current_database()`,
);

/** Who writes on a foreign transaction cannot send: everybody may, from the commit on. */
const toSendSql = statement(
  "to-send",
  `UPDATE {message} m SET send_at = greatest({now}, m.due_at - $2::bigint)
   WHERE m.project = $3 AND m.id = ANY ($1::text[]) AND m.send_at IS NULL AND coalesce(m.owner, 0) = 0`,
);

const askAgainMs = 20;

/** Held until the transaction, or the savepoint, is over. */
const lockNameSql = statement(
  "lock-schedule-name",
  "SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', 'qluster schedule', $2::text, $1, $3::text), 0)) AS got",
);

/** Writes on transactions that the application has begun in the same database, through whatever library. */
export class PostgresWriter implements TransactionWriter {
  readonly dialect = "postgres";
  readonly #database: ProjectDatabase;
  #project = 0;
  #identity = "";

  constructor(database: ProjectDatabase) {
    this.#database = database;
  }

  async ready(): Promise<void> {
    const { connections } = this.#database;
    this.#project = await this.#database.number();
    const { rows } = await connections.query(whereSql, [connections.schema]);
    this.#identity = (rows[0] as { identity: string }).identity;
  }

  *check({ library }: Executor): SqlSteps<void> {
    const { schema, place } = this.#database.connections;
    const [row] = yield this.#inline(whereSql, [schema]);
    const { identity, database, role, allowed } = row as Readonly<Record<string, string>>;
    if (identity !== this.#identity) {
      throw new TransactionError(
        `This transaction of ${library} is on ${database}, and Qluster's tables are in the schema "${schema}" of ${place}: ` +
          "they cannot commit together. Let `database` name the database of the transaction, or use q.afterCommit.",
      );
    }
    if (allowed === "true") return;
    throw new TransactionError(
      `This transaction of ${library} runs as the role "${role}", which may not write to Qluster's tables in the schema ` +
        `"${schema}" of ${place}. Grant it USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables.`,
    );
  }

  *submit(tasks: readonly NewTask[], lockTimeoutMs: number): SqlSteps<Submitted[]> {
    if (tasks.length === 0) return [];
    const { sql, parameters } = submittingInside(this.#project, tasks, lockTimeoutMs);
    const rows = yield this.#inline(sql, parameters);
    if (Number(rows[0]?.["place"]) === -1) throw heldTooLong(lockTimeoutMs, rows[0]!);
    const { outbox } = this.#database;
    if (outbox !== null)
      yield this.#inline(toSendSql, [textArray(tasks.map(({ id }) => id)), outbox.aheadMs, this.#project]);
    return submittedFrom(tasks, rows.map(submitted));
  }

  *insertSchedule(schedule: NewSchedule, lockTimeoutMs: number): SqlSteps<InsertedSchedule> {
    const { id, name } = schedule;
    if (name !== null) yield* this.#lockName(name, lockTimeoutMs);
    const { insert, holder } = insertingInside(schedule);
    for (;;) {
      const [row] = yield this.#inline(insert[0], [this.#project, ...insert[1]]);
      if (row?.["id"] === id) return { id, created: true };
      const [other] = yield this.#inline(holder[0], [this.#project, ...holder[1]]);
      // Who stood in the way may have gone meanwhile.
      if (other !== undefined) return { id: String(other["id"]), created: other["id"] === id };
    }
  }

  /** Of two transactions that want one name, the second asks again and again: to wait inside an INSERT could end in a deadlock. */
  *#lockName(name: string, lockTimeoutMs: number): SqlSteps<void> {
    const lock = this.#inline(lockNameSql, [this.#project, this.#database.connections.schema, name]);
    for (let waitedMs = 0; ; waitedMs += askAgainMs) {
      const [row] = yield lock;
      if (row?.["got"] === true || row?.["got"] === "t") return;
      if (waitedMs >= lockTimeoutMs) throw nameHeldTooLong(name, lockTimeoutMs);
      yield { sql: `SELECT pg_sleep(${askAgainMs / 1_000})::text AS slept`, parameters: [] };
    }
  }

  *openFlow(flow: NewFlow, members: readonly NewTask[]): SqlSteps<void> {
    yield* openFlowSteps(this.#flows, flow, members);
  }

  *addElements(id: string, elements: readonly NewTask[], size: number | null): SqlSteps<void> {
    yield* addElementsSteps(this.#flows, id, elements, size);
  }

  *dropFlow(id: string): SqlSteps<void> {
    yield* dropFlowSteps(this.#flows, id);
  }

  get #flows(): FlowSteps {
    return {
      outbox: this.#database.outbox,
      inline: (sql, parameters) => this.#inline(sql, [this.#project, ...parameters]),
      submit: (tasks) => this.submit(tasks, 0),
    };
  }

  *finish(consumer: string, { receipt, attempt, outcome, followUps }: Settlement): SqlSteps<boolean> {
    if (outcome.to !== "succeeded") throw new Error(`Only a success ends in a transaction, not "${outcome.to}".`);
    const ending = { receipt, attempt, outcome };
    const { sql, parameters } = endingInside(this.#project, consumerNumber(consumer), ending);
    const [row] = yield this.#inline(sql, parameters);
    if (typeof row?.["seqs"] !== "string") return false;
    yield* this.submit(followUps, 0);
    return true;
  }

  /** With `?` for `$1`, and each value as text with its type named: then no library has to guess. */
  #inline({ text }: Statement, values: readonly SqlValue[]): SqlStatement {
    const parameters: SqlParameter[] = [];
    const sql = this.#database.connections
      .render(text)
      .replace(/\$(\d+)(::[a-z]+(?:\[\])?)?/g, (_, place: string, type: string = "::int") => {
        const value = values[Number(place) - 1] ?? null;
        parameters.push(value === null ? null : String(value));
        return `?::text${type}`;
      });
    return { sql, parameters };
  }
}

function submitted(row: SqlRow): Submitted {
  return { id: String(row["id"]), created: row["created"] === true || row["created"] === "t" };
}

function nameHeldTooLong(name: string, ms: number): StoreUnavailableError {
  return new StoreUnavailableError(
    `Another transaction that is still open makes a schedule with the name "${name}"; it was waited for ${ms} ms (option ` +
      "`lockTimeout`). Nothing was written, and this transaction can go on. Keep transactions short, or give `lockTimeout` more time.",
  );
}

function heldTooLong(ms: number, row: SqlRow): StoreUnavailableError {
  return new StoreUnavailableError(
    `Another transaction that is still open holds the unique key; it was waited for ${ms} ms (option \`lockTimeout\`). ` +
      "Nothing was enqueued, and this transaction can go on. Keep transactions short, enqueue at their end, or give " +
      "`lockTimeout` more time.",
    { cause: new Error(String(row["id"])) },
  );
}
