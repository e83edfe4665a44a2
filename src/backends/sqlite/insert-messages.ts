import type { NewTask } from "../../contracts/store.js";
import { memberText } from "../sql/member-text.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { rankOf } from "../sql/task-row.js";
import type { SqlValue } from "./driver.js";
import type { Moment, Session } from "./project-file.js";
import { RowStatement } from "./row-values.js";
import { written, writtenElsewhere } from "./send-times.js";

const columns =
  "project, queued_at, queue, owner, rank, due_at, id, expires_at, func, name, grp, kind, parent, " +
  "unique_key, unique_until, unique_ends_at, envelope, member, deliveries, attempts, starts";
const width = 18;

const insertRows = new RowStatement(
  width,
  (rows) =>
    `INSERT INTO qluster_message (${columns}) SELECT *, 0, 0, 0 FROM (VALUES ${rows}) WHERE true ON CONFLICT DO NOTHING`,
);

const insertedIds = new RowStatement(
  width,
  (rows) =>
    `INSERT INTO qluster_message (${columns}) SELECT *, 0, 0, 0 FROM (VALUES ${rows}) WHERE true ON CONFLICT DO NOTHING RETURNING id`,
);

/** For a lone task: the check for a finished one rides in the same statement. */
const insertUnknown =
  `INSERT INTO qluster_message (${columns}) SELECT ${"?, ".repeat(width)} 0, 0, 0 ` +
  "WHERE NOT EXISTS (SELECT 1 FROM qluster_task WHERE project = ? AND id = ?) ON CONFLICT DO NOTHING";

/** Queues messages. An id that waits or runs already is passed over. Resolves to how many were new. */
export function insertMessages(session: Session, tasks: readonly NewTask[]): number {
  const inserted = insertRows.run(
    tasks,
    (values, task) => pushTask(values, session, task),
    [],
    (sql, values) => session.run(sql, values),
  );
  if (session.outbox !== null) {
    written(
      session,
      tasks.map(({ id }) => id),
    );
  }
  return inserted;
}

/** Queues one task, unless its id is known, be it unfinished or finished. One statement. */
export function insertUnknownMessage(session: Session, task: NewTask): boolean {
  const values: SqlValue[] = [];
  pushTask(values, session, task);
  values.push(session.project, task.id);
  const isNew = session.run(insertUnknown, values) === 1;
  if (isNew) written(session, [task.id]);
  return isNew;
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

function pushTask(values: SqlValue[], { project, now }: Pick<Moment, "project" | "now">, task: NewTask): void {
  const dueAt = Math.ceil(Math.max(now + task.delayMs, task.dueAt ?? now));
  const unique = task.unique;
  values.push(
    project,
    now,
    task.queue,
    dueAt > now ? 0 : null,
    rankOf(task.priority),
    dueAt,
    task.id,
    task.expiresMs === null ? null : Math.ceil(now + task.expiresMs),
    task.func,
    task.name,
    task.group,
    task.kind,
    task.parent,
    unique === null ? null : unique.key,
    unique === null ? null : unique.until,
    unique === null || unique.forMs === null ? null : Math.ceil(now + unique.forMs),
    task.envelope,
    memberText(task.member),
  );
}
