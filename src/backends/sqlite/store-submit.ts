import type { NewTask, Submitted } from "../../contracts/store.js";
import { admitMembers } from "./flow-join.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { insertUnknownMessages } from "./insert-messages.js";
import type { Moment, ProjectFile, Session } from "./project-file.js";

/** Stores and queues tasks, all or none. */
export async function submitTasks(file: ProjectFile, tasks: readonly NewTask[]): Promise<Submitted[]> {
  const [only] = tasks;
  if (only === undefined) return [];
  const isAlone = tasks.length === 1 && only.unique === null && only.member === undefined;
  const submitted = isAlone
    ? await file.writeSingle((session) => [{ id: only.id, created: isNew(session, only) }])
    : await file.write((session) => submitInside(session, tasks));
  file.wakeUp.changed();
  return submitted;
}

/** The same inside a transaction that is open already. */
export function submitInside(session: Session, tasks: readonly NewTask[]): Submitted[] {
  const admitted = admitMembers(session, tasks);
  if (admitted === tasks) return submitAdmitted(session, tasks);
  const created = new Map(submitAdmitted(session, admitted).map((answer) => [answer.id, answer.created]));
  return tasks.map(({ id }) => ({ id, created: created.get(id) ?? false }));
}

function submitAdmitted(session: Session, tasks: readonly NewTask[]): Submitted[] {
  if (tasks.some((task) => task.unique !== null)) return tasks.map((task) => submitOne(session, task));
  const last = lastMessage(session);
  if (insertUnknownMessages(session, tasks) === tasks.length) return tasks.map(({ id }) => ({ id, created: true }));
  return answersSince(session, tasks, last);
}

function submitOne(session: Session, task: NewTask): Submitted {
  const holder = keyHolder(session, task);
  if (holder !== undefined) return { id: holder, created: false };
  return { id: task.id, created: isNew(session, task) };
}

function isNew(session: Session, task: NewTask): boolean {
  return insertUnknownMessages(session, [task]) === 1;
}

const selectHolder = `
  SELECT id FROM qluster_message
  WHERE project = ? AND unique_key = ? AND id <> ?
    AND (unique_ends_at IS NULL OR unique_ends_at > ?)
    AND (owner > 0 OR expires_at IS NULL OR expires_at > ?)
  ORDER BY seq DESC LIMIT 1`;

/** The task that has the unique key at this moment. A message loses its key with its row, or when its time is up. */
function keyHolder(session: Session, task: NewTask): string | undefined {
  if (task.unique === null) return undefined;
  const { project, now } = session;
  return session.first<{ id: string }>(selectHolder, [project, task.unique.key, task.id, now, now])?.id;
}

/** The same in a foreign transaction. */
export function* keyHolderSteps({ project, now }: Moment, { id, unique }: NewTask): SqlSteps<string | undefined> {
  if (unique === null) return undefined;
  const [row] = yield { sql: selectHolder, parameters: [project, unique.key, id, now, now] };
  return row === undefined ? undefined : String(row["id"]);
}

function lastMessage(session: Session): number {
  return session.first<{ seq: number | null }>("SELECT max(seq) AS seq FROM qluster_message", [])?.seq ?? 0;
}

/** Some ids were known: tells apart which. Of two with one id, the first is the new one. */
function answersSince(session: Session, tasks: readonly NewTask[], last: number): Submitted[] {
  const created = new Set(
    session
      .all<{ id: string }>("SELECT id FROM qluster_message WHERE seq > ? AND project = ?", [last, session.project])
      .map(({ id }) => id),
  );
  return tasks.map(({ id }) => ({ id, created: created.delete(id) }));
}
