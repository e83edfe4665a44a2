import type { NewTask, Submitted } from "../../contracts/store.js";
import type { Queries } from "./connections.js";
import { isMember, isOfBatch, joinFlows } from "./flow-join.js";
import { joinedTaskArrays, joinedTaskColumns, newTaskColumns } from "./new-task-columns.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement, type SqlValue, type Statement } from "./statement.js";
import { unsent } from "./unsent.js";

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
  const columns = newTaskColumns(tasks);
  if (!isUnique(tasks)) return { sql: submitSql, parameters: [project, false, ...columns] };
  return { sql: submitInsideSql, parameters: [Math.max(1, Math.floor(lockTimeoutMs)), project, ...columns] };
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

const joinedSql = statement(
  "submit-joined",
  `SELECT place, id, created FROM {submit}($1::int, {now}, $2::boolean, ${joinedTaskArrays(3)})`,
);
const joinedApartSql = statement(
  "submit-apart-joined",
  `SELECT place, id, created FROM {submit_apart}($1::int, {now}, $2::boolean, ${joinedTaskArrays(3)}, $18, $19)`,
);

interface SubmittedRow {
  readonly place: number;
  readonly id: string;
  readonly created: boolean;
}

/** Stores and queues tasks, all or none. */
export async function submitTasks(database: ProjectDatabase, tasks: readonly NewTask[]): Promise<Submitted[]> {
  // Members of one iterable, as they come, are one statement too.
  const isOne = tasks.every((task) => isMember(task) && !isOfBatch(task)) || !tasks.some(isMember);
  const submitted = !isOne
    ? await database.transaction((inside) => submitWith(inside, tasks))
    : await submitWith(database, tasks);
  database.wakeUp.changed("messages");
  return submitted;
}

/** The same inside a transaction that is open already. Members first: their flows are locked before anything else is. */
export async function submitWith(database: Queries, tasks: readonly NewTask[]): Promise<Submitted[]> {
  const members = tasks.filter(isMember);
  if (members.length === 0) return await submitPlain(database, tasks);
  const joined = await joinFlows(database, members);
  if (members.length === tasks.length) return joined;
  const others = await submitPlain(
    database,
    tasks.filter((task) => !isMember(task)),
  );
  return tasks.flatMap((task) => (isMember(task) ? joined.shift() : others.shift()) ?? []);
}

/** Queues what the caller does not know of. So with a broker elsewhere others send it, at once. */
export async function submitUnsent(inside: Queries, tasks: readonly NewTask[]): Promise<void> {
  await submitWith(unsent(inside), tasks);
}

async function submitPlain(database: Queries, tasks: readonly NewTask[]): Promise<Submitted[]> {
  if (tasks.length === 0) return [];
  const { outbox } = database;
  const joined = joinedTaskColumns(tasks);
  const parameters = [isUnique(tasks), ...(joined ?? newTaskColumns(tasks))];
  const rows =
    outbox === null
      ? await database.all<SubmittedRow>(joined ? joinedSql : submitSql, parameters)
      : await database.all<SubmittedRow>(joined ? joinedApartSql : submitApartSql, [
          ...parameters,
          outbox.handMs,
          outbox.aheadMs,
        ]);
  return submittedFrom(tasks, rows);
}

function isUnique(tasks: readonly NewTask[]): boolean {
  return tasks.some(({ unique }) => unique !== null);
}
