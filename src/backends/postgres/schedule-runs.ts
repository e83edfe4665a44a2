import type { RunQuery, StoredRun } from "../../contracts/schedules.js";
import { storedRun, type RunRow } from "../sql/schedule-row.js";
import type { Queries } from "./connections.js";
import { tasksById } from "./read.js";
import { statement } from "./statement.js";

const runsSql = statement(
  "schedule-runs",
  `SELECT r.number, r.slot, r.at, r.task, r.passed_over, r.manual, r.state FROM {schedule_run} r
   WHERE r.schedule = (SELECT seq FROM {schedule} WHERE project = $1 AND id = $2)
     AND ($3::bigint IS NULL OR r.number < $3::bigint)
   ORDER BY r.number DESC LIMIT $4::bigint`,
);

/** Newest first, each with the state that its task has now, or had when it went. */
export async function runsOf(database: Queries, id: string, { limit, before }: RunQuery): Promise<StoredRun[]> {
  const rows = await database.all<RunRow>(runsSql, [id, before ?? null, limit]);
  const tasks = await tasksById(
    database,
    rows.flatMap(({ task }) => (task === null ? [] : [task])),
  );
  const states = new Map(tasks.map((task) => [task.id, task.state]));
  return rows.map((row) => storedRun(row, row.task === null ? undefined : states.get(row.task)));
}

/** Beside `gone` in a statement: keeps the outcome of scheduled tasks whose own record goes. */
export const keepOutcomes = `
  outcomes AS (
    UPDATE {schedule_run} r SET state = gone.state FROM gone
    WHERE gone.kind <> 'hook' AND gone.parent IS NOT NULL AND r.project = $1 AND r.task = gone.id)`;
