import type { AttemptEnding, AttemptRecord, StoredTask } from "../../contracts/store.js";
import { errorFrom } from "../sql/error-text.js";
import { flowAsTask } from "../sql/flow-row.js";
import { finishedTask, unfinishedTask, type MessageRow, type TaskRow } from "../sql/task-row.js";
import { flowRows } from "./flow-rows.js";
import type { Session } from "./project-file.js";

const common =
  "id, queue, func, name, grp, kind, parent, envelope, attempts, queued_at, due_at, started_at, stopped_at, worker";

export const taskColumns: string = `${common}, state, priority, error, result`;

const selectMessages = `
  SELECT ${common}, rank, owner, expires_at FROM qluster_message
  WHERE project = ? AND id IN (SELECT value FROM json_each(?))`;

const selectTasks = `
  SELECT ${taskColumns} FROM qluster_task
  WHERE project = ? AND id IN (SELECT value FROM json_each(?))`;

/** Tasks in any state. Waiting ones are looked for first, so that none slips through while it moves to the finished ones. */
export function tasksById(session: Session, ids: readonly string[]): StoredTask[] {
  if (ids.length === 0) return [];
  const rows = session.all<MessageRow>(selectMessages, [session.project, JSON.stringify(ids)]);
  const finished = finishedById(session, ids);
  const isFinished = new Set(finished.map(({ id }) => id));
  const waiting = rows.filter(({ id }) => !isFinished.has(id)).map((row) => unfinishedTask(row, session.now));
  return [...waiting, ...finished, ...openFlows(session, ids, new Set([...waiting, ...finished].map(({ id }) => id)))];
}

/** @param found - Those of `ids` that are tasks, as is what opens a flow and has its id. */
function openFlows(session: Session, ids: readonly string[], found: ReadonlySet<string>): StoredTask[] {
  const others = ids.filter((id) => !found.has(id));
  if (others.length === 0) return [];
  return flowRows(session, others)
    .filter(({ state }) => state === "open")
    .map(flowAsTask);
}

export function finishedById(session: Session, ids: readonly string[]): StoredTask[] {
  if (ids.length === 0) return [];
  return session.all<TaskRow>(selectTasks, [session.project, JSON.stringify(ids)]).map(finishedTask);
}

interface AttemptRow {
  readonly number: number;
  readonly ending: AttemptEnding;
  readonly counted: number;
  readonly started_at: number;
  readonly stopped_at: number;
  readonly worker: string;
  readonly error: string | null;
}

const selectAttempts = `
  SELECT number, ending, counted, started_at, stopped_at, worker, error
  FROM qluster_attempt WHERE project = ?1 AND id = ?2
  UNION ALL
  SELECT starts, ending, counted, started_at, stopped_at, worker, attempt_error
  FROM qluster_task WHERE project = ?1 AND id = ?2 AND ending IS NOT NULL
  ORDER BY 1`;

/** Every attempt: the earlier ones, and the last one from the finished task's own row. */
export function attemptsOf(session: Session, id: string): AttemptRecord[] {
  return session.all<AttemptRow>(selectAttempts, [session.project, id]).map((row) => ({
    number: row.number,
    ending: row.ending,
    counted: row.counted === 1,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    worker: row.worker,
    error: errorFrom(row.error),
  }));
}
