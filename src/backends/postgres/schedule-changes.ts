import type { ChangeAnswer, InsertedSchedule, NewRun, NewSchedule, ScheduleChange } from "../../contracts/schedules.js";
import {
  definitionColumns,
  definitionValues,
  keptRuns,
  progressColumns,
  progressValues,
  runsAfterSubmit,
} from "../sql/schedule-row.js";
import type { Queries } from "./connections.js";
import { codeOf } from "./postgres-error.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement, type SqlValue, type Statement } from "./statement.js";
import { submitWith } from "./submit.js";

const columns = `${definitionColumns}, ${progressColumns}`;

const insertSql = statement(
  "insert-schedule",
  `WITH new AS (
     INSERT INTO {schedule} (project, created_at, revision, run_count, id, ${columns})
     VALUES ($1, {now}, 1, 0, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::bigint,
       $11::bigint, $12::bigint, $13::int = 1, $14::text, $15::text)
     ON CONFLICT DO NOTHING RETURNING id)
   SELECT (SELECT id FROM new) AS id, {tell}($1, 4)::text AS told`,
);
const holderSql = statement(
  "schedule-holder",
  "SELECT id FROM {schedule} WHERE project = $1 AND (id = $2::text OR name = $3::text) ORDER BY id = $2::text DESC LIMIT 1",
);

/** The statements of {@link insertSchedule} for a transaction of the application, with their parameters after the project. */
export function insertingInside(schedule: NewSchedule): {
  readonly insert: readonly [Statement, readonly SqlValue[]];
  readonly holder: readonly [Statement, readonly SqlValue[]];
} {
  return { insert: [insertSql, valuesOf(schedule)], holder: [holderSql, [schedule.id, schedule.name]] };
}

function valuesOf(schedule: NewSchedule): SqlValue[] {
  return [schedule.id, ...definitionValues(schedule), ...progressValues(schedule)];
}

export async function insertSchedule(database: ProjectDatabase, schedule: NewSchedule): Promise<InsertedSchedule> {
  const { id, name } = schedule;
  for (;;) {
    const values = valuesOf(schedule);
    const row = await database.first<{ id: string | null }>(insertSql, values);
    if (row?.id === id) return { id, created: true };
    const holder = await database.first<{ id: string }>(holderSql, [id, name]);
    // Who stood in the way may have gone meanwhile.
    if (holder !== undefined) return { id: holder.id, created: holder.id === id };
  }
}

/** The new values of a schedule: `seq` and columns of those that are still as they were asked for, locked. What another writer holds is passed over. */
const held = `
  asked AS (
    SELECT * FROM json_to_recordset($2::json) AS a (place integer, id text, revision bigint, runs bigint, name text,
      cluster text, func text, rule text, target text, declared_by text, fingerprint text, next_run bigint, due_at bigint,
      repeats bigint, paused integer, last_task text, fault text)),
  held AS (
    SELECT s.seq, a.* FROM {schedule} s JOIN asked a ON s.id = a.id AND s.revision = a.revision
    WHERE s.project = $1 FOR UPDATE OF s SKIP LOCKED)`;

const setProgress =
  "next_run = h.next_run, due_at = h.due_at, repeats = h.repeats, paused = h.paused = 1, last_task = h.last_task, " +
  "fault = h.fault, run_count = s.run_count + h.runs, revision = s.revision + 1";
const setDefinition = definitionColumns
  .split(", ")
  .map((column) => `${column} = h.${column}`)
  .join(", ");

const progressSql = statement(
  "advance-schedules",
  `WITH ${held} UPDATE {schedule} s SET ${setProgress} FROM held h WHERE s.seq = h.seq RETURNING h.place, s.seq`,
);
const definitionSql = statement(
  "define-schedules",
  `WITH ${held} UPDATE {schedule} s SET ${setProgress}, ${setDefinition} FROM held h WHERE s.seq = h.seq RETURNING h.place, s.seq`,
);
const removeSql = statement(
  "remove-schedules",
  `WITH ${held} DELETE FROM {schedule} s USING held h WHERE s.seq = h.seq RETURNING h.place, s.seq`,
);
const runsSql = statement(
  "insert-runs",
  `WITH asked AS (
     SELECT * FROM json_to_recordset($2::json) AS a (schedule bigint, number bigint, slot bigint, at bigint, manual boolean,
       task text, passed_over text)),
   new AS (
     INSERT INTO {schedule_run} (project, schedule, number, slot, at, manual, task, passed_over)
     SELECT $1, schedule, number, slot, at, manual, task, passed_over FROM asked ON CONFLICT DO NOTHING)
   DELETE FROM {schedule_run} r USING asked a WHERE r.schedule = a.schedule AND r.number = a.number - ${keptRuns}`,
);
const tellSql = statement("tell-schedules", "SELECT {tell}($1, 4)");

/** Makes every change that nobody was faster than. Those that bring a name go one by one: it may be taken. */
export async function changeSchedules(
  database: ProjectDatabase,
  changes: readonly ScheduleChange[],
): Promise<ChangeAnswer[]> {
  const placed = changes.map((change, place) => ({ change, place }));
  const plain = placed.filter(({ change }) => change.definition === undefined);
  const answers = new Map<number, ChangeAnswer>();
  if (plain.length > 0) {
    const done = await database.transaction((inside) => changeInside(inside, plain));
    for (const place of done) answers.set(place, "done");
  }
  for (const one of placed) {
    if (one.change.definition !== undefined) answers.set(one.place, await define(database, one));
  }
  return placed.map(({ place }) => answers.get(place) ?? "stale");
}

interface Placed {
  readonly change: ScheduleChange;
  readonly place: number;
}

async function define(database: ProjectDatabase, one: Placed): Promise<ChangeAnswer> {
  try {
    const done = await database.transaction((inside) => changeInside(inside, [one]));
    return done.length === 0 ? "stale" : "done";
  } catch (error) {
    if (codeOf(error) === "23505") return "taken";
    throw error;
  }
}

/** Resolves to the places of those that were made. */
async function changeInside(database: Queries, placed: readonly Placed[]): Promise<number[]> {
  const rows = [
    ...(await write(
      database,
      removeSql,
      placed.filter(({ change }) => change.progress === null),
    )),
    ...(await write(
      database,
      definitionSql,
      placed.filter(({ change }) => change.progress !== null && change.definition !== undefined),
    )),
    ...(await write(
      database,
      progressSql,
      placed.filter(({ change }) => change.progress !== null && change.definition === undefined),
    )),
  ];
  if (rows.length === 0) return [];
  const byPlace = new Map(placed.map((one) => [one.place, one.change]));
  const made = rows.flatMap(({ place, seq }) => {
    const change = byPlace.get(place);
    return change === undefined ? [] : [{ change, seq }];
  });
  const tasks = made.flatMap(({ change }) => change.tasks);
  const submitted = await submitWith(database, tasks);
  const runs = made
    .filter(({ change }) => change.progress !== null)
    .flatMap(({ change, seq }) => runsAfterSubmit(change.runs, tasks, submitted).map((run) => runRow(run, seq)));
  if (runs.length > 0) await database.run(runsSql, [JSON.stringify(runs)]);
  await database.first(tellSql);
  return rows.map(({ place }) => place);
}

interface WrittenRow {
  readonly place: number;
  readonly seq: number;
}

async function write(database: Queries, sql: typeof progressSql, placed: readonly Placed[]): Promise<WrittenRow[]> {
  if (placed.length === 0) return [];
  return await database.all<WrittenRow>(sql, [JSON.stringify(placed.map(askedRow))]);
}

function askedRow({ change, place }: Placed): object {
  const { id, revision, definition, progress, runs } = change;
  return {
    place,
    id,
    revision,
    runs: runs.length,
    ...(definition === undefined ? {} : named(definitionColumns, definitionValues(definition))),
    ...(progress === null ? {} : named(progressColumns, progressValues(progress))),
  };
}

function named(names: string, values: readonly unknown[]): object {
  return Object.fromEntries(names.split(", ").map((name, index) => [name, values[index]]));
}

function runRow({ number, slot, at, task, passedOver, manual }: NewRun, seq: number): object {
  return { schedule: seq, number, slot, at, manual, task, passed_over: passedOver };
}
