import type {
  DueQuery,
  DueSchedules,
  ScheduleCounts,
  Schedules,
  ScheduleQuery,
  StoredSchedule,
} from "../../contracts/schedules.js";
import { storedSchedule, type ScheduleRow } from "../sql/schedule-row.js";
import { textArray } from "./array-literal.js";
import type { ProjectDatabase } from "./project-database.js";
import { changeSchedules, insertSchedule } from "./schedule-changes.js";
import { runsOf } from "./schedule-runs.js";
import { statement } from "./statement.js";

/** Schedules in the tables `qluster_schedule` and `qluster_schedule_run`. */
export function postgresSchedules(database: ProjectDatabase): Schedules {
  return {
    async insert(schedule) {
      const answer = await insertSchedule(database, schedule);
      database.wakeUp.changed("schedules");
      return answer;
    },
    async change(changes) {
      if (changes.length === 0) return [];
      const answers = await changeSchedules(database, changes);
      database.wakeUp.changed("schedules");
      if (changes.some(({ tasks }) => tasks.length > 0)) database.wakeUp.changed("messages");
      return answers;
    },
    find: (idOrName) => find(database, idOrName),
    list: (query) => list(database, query),
    due: (query) => due(database, query),
    runs: (id, query) => runsOf(database, id, query),
    counts: (cap) => counts(database, cap),
    watch: (changed) => database.wakeUp.listen("schedules", changed),
  };
}

const findSql = statement(
  "find-schedule",
  `(SELECT 1 AS place, * FROM {schedule} WHERE project = $1 AND id = $2)
   UNION ALL (SELECT 2, * FROM {schedule} WHERE project = $1 AND name = $2) ORDER BY place LIMIT 1`,
);
const listSql = statement(
  "list-schedules",
  `SELECT * FROM {schedule} WHERE project = $1 AND id > $2 AND ($3::text IS NULL OR declared_by = $3) ORDER BY id LIMIT $4`,
);

/** One statement, and so one time for what is due and for what is not yet. */
const dueSql = statement(
  "due-schedules",
  `SELECT {now} AS now,
     (SELECT json_agg(d) FROM (
        SELECT s.* FROM unnest($2::text[]) AS c (cluster) CROSS JOIN LATERAL (
          SELECT * FROM {schedule} WHERE project = $1 AND cluster = c.cluster AND due_at <= {now}
          ORDER BY due_at LIMIT $3::bigint) AS s
        ORDER BY s.due_at LIMIT $3::bigint) AS d)::text AS due,
     (SELECT min(n.due_at) FROM unnest($2::text[]) AS c (cluster) CROSS JOIN LATERAL (
        SELECT due_at FROM {schedule} WHERE project = $1 AND cluster = c.cluster AND due_at > {now}
        ORDER BY due_at LIMIT 1) AS n) AS nearest`,
);
const countsSql = statement(
  "count-schedules",
  `SELECT (SELECT count(*) FROM (SELECT 1 FROM {schedule} WHERE project = $1 LIMIT $2::bigint) AS a) AS all,
     (SELECT count(*) FROM (SELECT 1 FROM {schedule} WHERE project = $1 AND paused LIMIT $2::bigint) AS p) AS paused,
     (SELECT count(*) FROM (SELECT 1 FROM {schedule} WHERE project = $1 AND fault IS NOT NULL LIMIT $2::bigint) AS b) AS broken,
     (SELECT min(due_at) FROM {schedule} WHERE project = $1 AND due_at IS NOT NULL) AS next`,
);

async function find(database: ProjectDatabase, idOrName: string): Promise<StoredSchedule | undefined> {
  const row = await database.first<ScheduleRow>(findSql, [idOrName]);
  return row === undefined ? undefined : storedSchedule(row);
}

async function list(
  database: ProjectDatabase,
  { after = "", limit, declaredBy }: ScheduleQuery,
): Promise<StoredSchedule[]> {
  return (await database.all<ScheduleRow>(listSql, [after, declaredBy ?? null, limit])).map(storedSchedule);
}

interface DueRow {
  readonly now: number;
  readonly due: string | null;
  readonly nearest: number | null;
}

async function due(database: ProjectDatabase, { clusters, limit }: DueQuery): Promise<DueSchedules> {
  const names = textArray(clusters.map((cluster) => cluster ?? ""));
  const row = await database.first<DueRow>(dueSql, [names, limit]);
  const { now, due: found, nearest } = row ?? { now: 0, due: null, nearest: null };
  const schedules = found === null ? [] : (JSON.parse(found) as ScheduleRow[]).map(storedSchedule);
  const wait = nearest === null ? null : nearest - now;
  return { now, schedules, nextInMs: schedules.length === limit ? 0 : wait };
}

async function counts(database: ProjectDatabase, cap: number): Promise<ScheduleCounts> {
  const row = await database.first<{ all: number; paused: number; broken: number; next: number | null }>(countsSql, [
    cap + 1,
  ]);
  return { all: row?.all ?? 0, paused: row?.paused ?? 0, broken: row?.broken ?? 0, nextRun: row?.next ?? null };
}
