import type { NewTask } from "../../contracts/store.js";
import { memberText } from "../sql/member-text.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { rankOf } from "../sql/task-row.js";
import type { SqlValue } from "./driver.js";
import type { Moment, Session } from "./project-file.js";
import { RowStatement } from "./row-values.js";
import { written, writtenElsewhere } from "./send-times.js";

/** In what the tasks of one call differ most often, and in what hardly ever. */
const own = "id, func, envelope, member";
const shared =
  "project, queued_at, queue, owner, rank, due_at, expires_at, name, grp, kind, parent, " +
  "unique_key, unique_until, unique_ends_at";
const columns = `${own}, ${shared}, deliveries, attempts, starts`;
const ownWidth = 4;
const sharedWidth = 14;

const marks = (width: number): string => Array.from({ length: width }, () => "?").join(", ");
// OR FAIL: whatever goes wrong rolls back the whole transaction, so SQLite need not copy pages to undo one statement.
const into = `INSERT OR FAIL INTO qluster_message (${columns})`;
const isUnknown = (project: string): string =>
  `NOT EXISTS (SELECT 1 FROM qluster_task WHERE id = column1 AND project = ${project}) ON CONFLICT DO NOTHING`;
const mixedRows = (rows: string): string => `SELECT *, 0, 0, 0 FROM (VALUES ${rows}) WHERE`;

const insertRows = new RowStatement(
  ownWidth + sharedWidth,
  (rows) => `${into} ${mixedRows(rows)} true ON CONFLICT DO NOTHING`,
);

const insertUnknown = new RowStatement(
  ownWidth + sharedWidth,
  (rows) => `${into} ${mixedRows(rows)} ${isUnknown(`column${ownWidth + 1}`)}`,
);

/** What all rows have in common is handed over once: handing over is half of what a bulk insert costs. */
const insertUnknownAlike = new RowStatement(
  ownWidth,
  (rows) =>
    `${into} WITH e AS (VALUES ${rows}) SELECT e.*, ${marks(sharedWidth)}, 0, 0, 0 FROM e WHERE ${isUnknown("?")}`,
);

/** In a foreign transaction, which goes on after an error. */
const insertedIds = new RowStatement(
  ownWidth + sharedWidth,
  (rows) => `INSERT INTO qluster_message (${columns}) ${mixedRows(rows)} true ON CONFLICT DO NOTHING RETURNING id`,
);

/** Queues messages. An id that waits or runs already is passed over. */
export function insertMessages(session: Session, tasks: readonly NewTask[]): void {
  insertRows.run(tasks, (values, task) => pushTask(values, session, task), [], runIn(session));
  markWritten(session, tasks);
}

/** Queues tasks, but for those whose id is known, be it unfinished or finished. Returns how many were new. */
export function insertUnknownMessages(session: Session, tasks: readonly NewTask[]): number {
  const inserted = insertNew(session, tasks);
  if (inserted > 0) markWritten(session, tasks);
  return inserted;
}

function insertNew(session: Session, tasks: readonly NewTask[]): number {
  const [first] = tasks;
  if (first === undefined || !tasks.every((task) => isLike(first, task))) {
    return insertUnknown.run(tasks, (values, task) => pushTask(values, session, task), [], runIn(session));
  }
  const rest = [...sharedValues(session, first), session.project];
  return insertUnknownAlike.run(tasks, pushOwn, rest, runIn(session));
}

function runIn(session: Session): (sql: string, values: readonly SqlValue[]) => number {
  return (sql, values) => session.run(sql, values);
}

function markWritten(session: Session, tasks: readonly NewTask[]): void {
  if (session.outbox === null) return;
  written(
    session,
    tasks.map(({ id }) => id),
  );
}

/** The statements of {@link insertMessages} for a foreign transaction. Returns the ids that were new. */
export function* insertMessagesSteps(at: Moment, tasks: readonly NewTask[]): SqlSteps<Set<string>> {
  const ids = new Set<string>();
  for (const statement of insertedIds.statements(tasks, (values, task) => pushTask(values, at, task), [])) {
    for (const { id } of yield statement) ids.add(String(id));
  }
  if (at.outbox !== null && ids.size > 0) yield writtenElsewhere(at, at.outbox, [...ids]);
  return ids;
}

/** Whether two tasks have the same {@link shared} values. */
function isLike(a: NewTask, b: NewTask): boolean {
  return (
    a.queue === b.queue &&
    a.priority === b.priority &&
    a.delayMs === b.delayMs &&
    a.dueAt === b.dueAt &&
    a.expiresMs === b.expiresMs &&
    a.name === b.name &&
    a.group === b.group &&
    a.kind === b.kind &&
    a.parent === b.parent &&
    a.unique === null &&
    b.unique === null
  );
}

function pushTask(values: SqlValue[], at: Pick<Moment, "project" | "now">, task: NewTask): void {
  pushOwn(values, task);
  values.push(...sharedValues(at, task));
}

function pushOwn(values: SqlValue[], { id, func, envelope, member }: NewTask): void {
  values.push(id, func, envelope, memberText(member));
}

function sharedValues({ project, now }: Pick<Moment, "project" | "now">, task: NewTask): SqlValue[] {
  const dueAt = Math.ceil(Math.max(now + task.delayMs, task.dueAt ?? now));
  const unique = task.unique;
  return [
    project,
    now,
    task.queue,
    dueAt > now ? 0 : null,
    rankOf(task.priority),
    dueAt,
    task.expiresMs === null ? null : Math.ceil(now + task.expiresMs),
    task.name,
    task.group,
    task.kind,
    task.parent,
    unique === null ? null : unique.key,
    unique === null ? null : unique.until,
    unique === null || unique.forMs === null ? null : Math.ceil(now + unique.forMs),
  ];
}
