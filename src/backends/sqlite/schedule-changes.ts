import type { ChangeAnswer, InsertedSchedule, NewRun, NewSchedule, ScheduleChange } from "../../contracts/schedules.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import {
  definitionColumns,
  definitionValues,
  keptRuns,
  progressColumns,
  progressValues,
  runsAfterSubmit,
} from "../sql/schedule-row.js";
import type { SqlValue } from "./driver.js";
import type { Moment, Session } from "./project-file.js";
import { RowStatement } from "./row-values.js";
import { submitInside } from "./store-submit.js";

const insertSql = `
  INSERT INTO qluster_schedule (project, id, created_at, ${definitionColumns}, ${progressColumns}, revision, run_count)
  VALUES (${Array.from({ length: 16 }, () => "?").join(", ")}, 1, 0) ON CONFLICT DO NOTHING`;

export function insertSchedule(session: Session, schedule: NewSchedule): InsertedSchedule {
  if (session.run(insertSql, valuesOf(session, schedule)) === 1) return { id: schedule.id, created: true };
  const holder = schedule.name === null ? undefined : idByName(session, schedule.name);
  return { id: holder ?? schedule.id, created: holder === undefined || holder === schedule.id };
}

/** The same on a foreign transaction. */
export function* insertScheduleSteps(at: Moment, schedule: NewSchedule): SqlSteps<InsertedSchedule> {
  const { id, name } = schedule;
  const rows = yield { sql: `${insertSql} RETURNING id`, parameters: valuesOf(at, schedule) };
  if (rows.length > 0) return { id, created: true };
  const [holder] = yield { sql: idByNameSql, parameters: [at.project, name] };
  const held = holder === undefined ? id : String(holder["id"]);
  return { id: held, created: held === id };
}

function valuesOf(
  { project, now }: Pick<Moment, "project" | "now">,
  schedule: NewSchedule,
): (string | number | null)[] {
  return [project, schedule.id, now, ...definitionValues(schedule), ...progressValues(schedule)];
}

const idByNameSql = "SELECT id FROM qluster_schedule WHERE project = ? AND name = ?";

/** Makes every change that nobody was faster than. The tasks of all of them go to the queues together. */
export function changeSchedules(session: Session, changes: readonly ScheduleChange[]): ChangeAnswer[] {
  const made: { readonly change: ScheduleChange; readonly seq: number }[] = [];
  const answers = changes.map((change): ChangeAnswer => {
    if (isNameTaken(session, change)) return "taken";
    const seq = change.progress === null ? remove(session, change) : update(session, change);
    if (seq === undefined) return "stale";
    made.push({ change, seq });
    return "done";
  });
  const tasks = made.flatMap(({ change }) => change.tasks);
  const submitted = tasks.length === 0 ? [] : submitInside(session, tasks);
  const runs = made
    .filter(({ change }) => change.progress !== null)
    .flatMap(({ change, seq }) => runsAfterSubmit(change.runs, tasks, submitted).map((run) => ({ run, seq })));
  insertRuns(session, runs);
  return answers;
}

function isNameTaken(session: Session, { id, definition }: ScheduleChange): boolean {
  if (definition === undefined || definition.name === null) return false;
  const holder = idByName(session, definition.name);
  return holder !== undefined && holder !== id;
}

function idByName(session: Session, name: string): string | undefined {
  return session.first<{ id: string }>(idByNameSql, [session.project, name])?.id;
}

function assignments(columns: string): string {
  return columns
    .split(", ")
    .map((column) => `${column} = ?`)
    .join(", ");
}

const where = "WHERE project = ? AND id = ? AND revision = ? RETURNING seq";
const updateSql = {
  progress: `UPDATE qluster_schedule SET ${assignments(progressColumns)}, run_count = run_count + ?, revision = revision + 1 ${where}`,
  all: `UPDATE qluster_schedule SET ${assignments(`${definitionColumns}, ${progressColumns}`)}, run_count = run_count + ?, revision = revision + 1 ${where}`,
};

function update(session: Session, { id, revision, definition, progress, runs }: ScheduleChange): number | undefined {
  const before = definition === undefined ? [] : definitionValues(definition);
  const values: SqlValue[] = [...before, ...(progress === null ? [] : progressValues(progress)), runs.length];
  const sql = definition === undefined ? updateSql.progress : updateSql.all;
  return session.first<{ seq: number }>(sql, [...values, session.project, id, revision])?.seq;
}

function remove(session: Session, { id, revision }: ScheduleChange): number | undefined {
  const seq = session.first<{ seq: number }>(`DELETE FROM qluster_schedule ${where}`, [
    session.project,
    id,
    revision,
  ])?.seq;
  if (seq !== undefined) session.run("DELETE FROM qluster_schedule_run WHERE schedule = ?", [seq]);
  return seq;
}

interface RunOf {
  readonly run: NewRun;
  readonly seq: number;
}

const insertRunRows = new RowStatement(
  8,
  (rows) => `
  INSERT INTO qluster_schedule_run (schedule, number, project, slot, at, task, passed_over, manual)
  VALUES ${rows} ON CONFLICT DO NOTHING`,
);

function insertRuns(session: Session, runs: readonly RunOf[]): void {
  const push = (values: SqlValue[], { run, seq }: RunOf): void => {
    const { number, slot, at, task, passedOver, manual } = run;
    values.push(seq, number, session.project, slot, at, task, passedOver, manual ? 1 : 0);
  };
  insertRunRows.run(runs, push, [], (sql, values) => session.run(sql, values));
  for (const { run, seq } of runs) {
    if (run.number > keptRuns) {
      session.run("DELETE FROM qluster_schedule_run WHERE schedule = ? AND number <= ?", [seq, run.number - keptRuns]);
    }
  }
}
