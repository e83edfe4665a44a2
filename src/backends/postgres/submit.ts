import type { NewTask, Submitted } from "../../contracts/store.js";
import { rankOf } from "../sql/task-row.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

const submitSql = statement(
  "submit",
  `SELECT place, id, created FROM {submit}($1::int, {now}, $2::boolean, $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[],
     $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
     $17::text[])`,
);

/** For transactions of the application. The first parameter is how long to wait for a key, in milliseconds. */
const submitInsideSql = statement(
  "submit-inside",
  `SELECT place, id, created FROM {submit_inside}($1::int, $2::int, {now}, $3::text[], $4::text[], $5::int[], $6::bigint[],
     $7::bigint[], $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
     $16::bigint[], $17::text[])`,
);

/** The statement of {@link submitTasks} for a transaction of the application, with all its parameters. */
export function submittingInside(
  project: number,
  tasks: readonly NewTask[],
  lockTimeoutMs: number,
): { readonly sql: Statement; readonly parameters: readonly SqlValue[] } {
  const [isUnique = false, ...rest] = parametersOf(tasks);
  if (isUnique === false) return { sql: submitSql, parameters: [project, isUnique, ...rest] };
  return { sql: submitInsideSql, parameters: [Math.max(1, Math.floor(lockTimeoutMs)), project, ...rest] };
}

/** What the function answers: nothing when all tasks are new. */
export function submittedFrom(tasks: readonly NewTask[], rows: readonly Submitted[]): Submitted[] {
  if (rows.length === 0) return tasks.map(({ id }) => ({ id, created: true }));
  return rows.map(({ id, created }) => ({ id, created }));
}

/** The same, with a time to send. */
const submitApartSql = statement(
  "submit-apart",
  submitSql.text.replace("{submit}", "{submit_apart}").replace("$17::text[]", "$17::text[], $18, $19"),
);

interface SubmittedRow {
  readonly place: number;
  readonly id: string;
  readonly created: boolean;
}

/** Stores and queues tasks, all or none. */
export async function submitTasks(database: ProjectDatabase, tasks: readonly NewTask[]): Promise<Submitted[]> {
  const submitted = await submitWith(database, tasks);
  database.wakeUp.changed("messages");
  return submitted;
}

/** The same inside a transaction that is open already. */
export async function submitWith(database: Queries, tasks: readonly NewTask[]): Promise<Submitted[]> {
  if (tasks.length === 0) return [];
  const { outbox } = database;
  const rows =
    outbox === null
      ? await database.all<SubmittedRow>(submitSql, parametersOf(tasks))
      : await database.all<SubmittedRow>(submitApartSql, [...parametersOf(tasks), outbox.handMs, outbox.aheadMs]);
  return submittedFrom(tasks, rows);
}

function parametersOf(tasks: readonly NewTask[]): SqlValue[] {
  const texts = (of: (task: NewTask) => string | null): string => textArray(tasks.map(of));
  const numbers = (of: (task: NewTask) => number | null): string => numberArray(tasks.map(of));
  return [
    tasks.some(({ unique }) => unique !== null),
    texts(({ id }) => id),
    texts(({ queue }) => queue),
    numbers(({ priority }) => rankOf(priority)),
    numbers(({ delayMs }) => Math.ceil(delayMs)),
    numbers(({ dueAt }) => (dueAt === null ? null : Math.ceil(dueAt))),
    numbers(({ expiresMs }) => (expiresMs === null ? null : Math.ceil(expiresMs))),
    texts(({ func }) => func),
    texts(({ name }) => name),
    texts(({ group }) => group),
    texts(({ kind }) => kind),
    texts(({ parent }) => parent),
    texts(({ unique }) => unique?.key ?? null),
    texts(({ unique }) => unique?.until ?? null),
    numbers(({ unique }) => (unique === null || unique.forMs === null ? null : Math.ceil(unique.forMs))),
    texts(({ envelope }) => envelope),
  ];
}
