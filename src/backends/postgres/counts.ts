import type { MinuteRollup, TaskCounts } from "../../contracts/store.js";
import { minuteOf } from "../sql/rollup.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

const isOther = "(state <> 'succeeded' OR kind <> 'task')";
const upTo = (from: string, limit: string): string =>
  `(SELECT count(*) FROM (SELECT 1 FROM ${from} LIMIT ${limit}) AS c)`;

/** Successes are what is left of all tasks: no index is spent on the most frequent end. */
const countSql = statement(
  "count-tasks",
  `WITH others AS (SELECT count(*) AS n FROM {task} WHERE project = $1 AND ${isOther})
   SELECT ${upTo("{message} WHERE project = $1 AND owner IS NULL AND kind = 'task'", "$2::bigint")} AS free,
     ${upTo("{message} WHERE project = $1 AND owner = 0 AND kind = 'task'", "$2::bigint")} AS delayed,
     ${upTo("{message} WHERE project = $1 AND owner > 0 AND kind = 'task'", "$2::bigint")} AS running,
     ${upTo(`{task} WHERE project = $1 AND ${isOther} AND kind = 'task' AND state <> 'succeeded'`, "$2::bigint")} AS failed,
     ${upTo("{task} WHERE project = $1", "$2::bigint + (SELECT n FROM others)")} - (SELECT n FROM others) AS succeeded`,
);

interface CountRow {
  readonly free: number;
  readonly delayed: number;
  readonly running: number;
  readonly failed: number;
  readonly succeeded: number;
}

/** Each number is exact up to `cap`, and `cap` + 1 beyond: nothing is read further than that. Hooks are not counted. */
export async function countTasks(database: Queries, cap: number): Promise<TaskCounts> {
  const limit = cap + 1;
  const row = await database.first<CountRow>(countSql, [limit]);
  const { free = 0, delayed = 0, running = 0, succeeded = 0, failed = 0 } = row ?? {};
  return { queued: Math.min(free + delayed, limit), running, succeeded, failed };
}

const rollupsSql = statement(
  "rollups",
  `SELECT minute, queue, sum(succeeded)::bigint AS succeeded, sum(failed)::bigint AS failed,
     sum(busy_ms)::bigint AS "busyMs"
   FROM {rollup} WHERE project = $1 AND minute >= $2 GROUP BY minute, queue ORDER BY minute, queue COLLATE "C"`,
);

/** Finished tasks by minute and queue, from the minute of `since` on. */
export async function rollupsSince(database: Queries, since: number): Promise<MinuteRollup[]> {
  return await database.all<MinuteRollup>(rollupsSql, [minuteOf(since)]);
}
