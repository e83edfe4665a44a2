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
export function keepOutcomes(
  session: Session,
  tasks: readonly {
    readonly id: string;
    readonly state: FinalState;
    readonly kind: TaskKind;
    readonly parent: string | null;
  }[],
): void {
  for (const { id, state, kind, parent } of tasks) {
    if (kind !== "task" || parent === null) continue;
    session.run("UPDATE qluster_schedule_run SET state = ? WHERE project = ? AND task = ?", [
      state,
      session.project,
      id,
    ]);
  }
}
