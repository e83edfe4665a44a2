import type { SqlSteps } from "../../contracts/transaction.js";
import type { RunQuery, StoredRun } from "../../contracts/schedules.js";
import type { FinalState, TaskKind } from "../../contracts/store.js";
import { storedRun, type RunRow } from "../sql/schedule-row.js";
import type { Session } from "./project-file.js";
import { tasksById } from "./store-read.js";

const selectRuns = `
  SELECT number, slot, at, task, passed_over, manual, state FROM qluster_schedule_run
  WHERE schedule = (SELECT seq FROM qluster_schedule WHERE project = ? AND id = ?) AND number < ?
  ORDER BY number DESC LIMIT ?`;

/** Newest first, each with the state that its task has now, or had when it went. */
export function runsOf(session: Session, id: string, { limit, before }: RunQuery): StoredRun[] {
  const rows = session.all<RunRow>(selectRuns, [session.project, id, before ?? Number.MAX_SAFE_INTEGER, limit]);
  const tasks = tasksById(
    session,
    rows.flatMap(({ task }) => (task === null ? [] : [task])),
  );
  const states = new Map(tasks.map((task) => [task.id, task.state]));
  return rows.map((row) => storedRun(row, row.task === null ? undefined : states.get(row.task)));
}

/** Keeps the outcome of scheduled tasks whose own record goes. */
export function keepOutcomes(session: Session, tasks: readonly GoneTask[]): void {
  for (const task of tasks.filter(isScheduled)) session.run(keepSql, [task.state, session.project, task.id]);
}

/** The same on a foreign transaction. */
export function* keepOutcomeSteps({ project }: Pick<Session, "project">, task: GoneTask): SqlSteps<void> {
  if (isScheduled(task)) yield { sql: `${keepSql} RETURNING task`, parameters: [task.state, project, task.id] };
}

const keepSql = "UPDATE qluster_schedule_run SET state = ? WHERE project = ? AND task = ?";

interface GoneTask {
  readonly id: string;
  readonly state: FinalState;
  readonly kind: TaskKind;
  readonly parent: string | null;
}

function isScheduled({ kind, parent }: GoneTask): boolean {
  return kind !== "hook" && parent !== null;
}
