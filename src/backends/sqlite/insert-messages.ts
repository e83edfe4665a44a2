import type { NewTask } from "../../contracts/store.js";
import { rankOf } from "../sql/task-row.js";
import type { SqlValue } from "./driver.js";
import type { Session } from "./project-file.js";

/** Rows in one statement: more gain nothing, and each size is a statement to prepare. */
const chunk = 50;

const columns =
  "project, queued_at, queue, owner, rank, due_at, id, expires_at, func, name, grp, kind, parent, " +
  "unique_key, unique_until, unique_ends_at, envelope, deliveries, attempts, starts";
const valuesPerRow = 15;

const insertOne = `INSERT INTO qluster_message (${columns}) VALUES ${rows(1)} ON CONFLICT DO NOTHING`;
const insertChunk = `INSERT INTO qluster_message (${columns}) VALUES ${rows(chunk)} ON CONFLICT DO NOTHING`;

/** For a lone task: the check for a finished one rides in the same statement. */
const insertUnknown =
  `INSERT INTO qluster_message (${columns}) SELECT * FROM (VALUES ${rows(1)}) ` +
  "WHERE NOT EXISTS (SELECT 1 FROM qluster_task WHERE project = ?1 AND id = ?7) ON CONFLICT DO NOTHING";

/** Queues messages. An id that waits or runs already is passed over. Resolves to how many were new. */
export function insertMessages(session: Session, tasks: readonly NewTask[]): number {
  let inserted = 0;
  let at = 0;
  for (; at + chunk <= tasks.length; at += chunk) {
    inserted += session.run(insertChunk, parameters(session, tasks, at, at + chunk));
  }
  for (; at < tasks.length; at++) inserted += session.run(insertOne, parameters(session, tasks, at, at + 1));
  return inserted;
}

/** Queues one task, unless its id is known, be it unfinished or finished. One statement. */
export function insertUnknownMessage(session: Session, task: NewTask): boolean {
  return session.run(insertUnknown, parameters(session, [task], 0, 1)) === 1;
}

function parameters(session: Session, tasks: readonly NewTask[], from: number, to: number): SqlValue[] {
  const { project, now } = session;
  const values: SqlValue[] = [project, now];
  for (let index = from; index < to; index++) {
    const task = tasks[index];
    if (task !== undefined) pushTask(values, task, now);
  }
  return values;
}

function pushTask(values: SqlValue[], task: NewTask, now: number): void {
  const dueAt = Math.max(now + task.delayMs, task.dueAt ?? now);
  const unique = task.unique;
  values.push(
    task.queue,
    dueAt > now ? 0 : null,
    rankOf(task.priority),
    dueAt,
    task.id,
    task.expiresMs === null ? null : now + task.expiresMs,
    task.func,
    task.name,
    task.group,
    task.kind,
    task.parent,
    unique === null ? null : unique.key,
    unique === null ? null : unique.until,
    unique === null || unique.forMs === null ? null : now + unique.forMs,
    task.envelope,
  );
}

/** `?1` is the project and `?2` the time in every row. */
function rows(count: number): string {
  return Array.from({ length: count }, (_, row) => {
    const own = Array.from({ length: valuesPerRow }, (__, column) => `?${3 + row * valuesPerRow + column}`);
    return `(?1, ?2, ${own.join(", ")}, 0, 0, 0)`;
  }).join(", ");
}
