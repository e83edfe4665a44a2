import type { AttemptEnding, AttemptRecord, StoredTask } from "../../contracts/store.js";
import { isFlow } from "../../core/finished-task.js";
import { parentOfFlow } from "../../core/flow-end.js";
import { errorFrom } from "../sql/error-text.js";
import { finishedTask, unfinishedTask, type MessageRow, type TaskRow } from "../sql/task-row.js";
import { textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

const common =
  "id, queue, func, name, grp, kind, parent, envelope, attempts, queued_at, due_at, started_at, stopped_at, worker";

export const taskColumns: string = `${common}, state, priority, error, result`;

/**
 * One statement, so that no task slips through while it moves from the waiting ones to the finished ones. An open flow is a
 * task that runs, unless the task with its id that opens it is still there.
 */
const tasksSql = statement(
  "tasks-by-id",
  `SELECT false AS is_finished, {now} AS now, rank, owner, expires_at, ${common},
     NULL AS state, NULL::integer AS priority, NULL AS error, NULL AS result
   FROM {message} WHERE project = $1 AND id = ANY ($2::text[])
   UNION ALL
   SELECT false, 0, 0, 1, NULL, id, queue, func, name, grp, kind, NULL, envelope, 0, opened_at, opened_at, opened_at, NULL,
     NULL, NULL, NULL, NULL, NULL
   FROM {flow} f WHERE project = $1 AND id = ANY ($2::text[]) AND state = 'open'
     AND NOT EXISTS (SELECT FROM {message} m WHERE m.project = $1 AND m.id = f.id)
   UNION ALL
   SELECT true, 0, 0, NULL, NULL, ${taskColumns} FROM {task} WHERE project = $1 AND id = ANY ($2::text[])`,
);

const finishedSql = statement(
  "finished-by-id",
  `SELECT ${taskColumns} FROM {task} WHERE project = $1 AND id = ANY ($2::text[])`,
);

type AnyRow = (({ is_finished: true } & TaskRow) | ({ is_finished: false } & MessageRow)) & { readonly now: number };

/** Tasks in any state. */
export async function tasksById(database: Queries, ids: readonly string[]): Promise<StoredTask[]> {
  if (ids.length === 0) return [];
  const rows = await database.all<AnyRow>(tasksSql, [textArray(ids)]);
  return rows.map((row) => (row.is_finished ? finishedTask(row) : withParent(unfinishedTask(row, row.now))));
}

function withParent(task: StoredTask): StoredTask {
  return isFlow(task.kind) ? { ...task, parent: parentOfFlow(task) } : task;
}

export async function finishedById(database: Queries, ids: readonly string[]): Promise<StoredTask[]> {
  if (ids.length === 0) return [];
  return (await database.all<TaskRow>(finishedSql, [textArray(ids)])).map(finishedTask);
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

const attemptsSql = statement(
  "attempts",
  `SELECT number, ending, counted, started_at, stopped_at, worker, error FROM {attempt} WHERE project = $1 AND id = $2
   UNION ALL
   SELECT starts, ending, counted, started_at, stopped_at, worker, attempt_error
   FROM {task} WHERE project = $1 AND id = $2 AND ending IS NOT NULL
   ORDER BY 1`,
);

/** Every attempt: the earlier ones, and the last one from the finished task's own row. */
export async function attemptsOf(database: Queries, id: string): Promise<AttemptRecord[]> {
  return (await database.all<AttemptRow>(attemptsSql, [id])).map((row) => ({
    number: row.number,
    ending: row.ending,
    counted: row.counted === 1,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    worker: row.worker,
    error: errorFrom(row.error),
  }));
}
