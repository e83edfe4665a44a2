import type { MinuteRollup, TaskCounts } from "../../contracts/store.js";
import { minuteOf } from "../sql/rollup.js";
import type { SqlValue } from "./driver.js";
import type { Session } from "./project-file.js";

const isOther = "(state <> 'succeeded' OR kind <> 'task')";

/** Each number is exact up to `cap`, and `cap` + 1 beyond: nothing is read further than that. Hooks are not counted. */
export function countTasks(session: Session, cap: number): TaskCounts {
  const upTo = (from: string, limit: number, ...more: SqlValue[]): number =>
    session.first<{ n: number }>(`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} LIMIT ?)`, [
      session.project,
      ...more,
      limit,
    ])?.n ?? 0;

  const limit = cap + 1;
  const message = "qluster_message INDEXED BY qluster_message";
  const free = upTo(`${message}_free WHERE project = ? AND owner IS NULL AND kind = 'task'`, limit);
  const delayed = upTo(`${message}_delayed WHERE project = ? AND owner = 0 AND kind = 'task'`, limit);
  const running = upTo(`${message}_held WHERE owner > 0 AND project = ? AND kind = 'task'`, limit);

  const other = `qluster_task INDEXED BY qluster_task_other WHERE project = ? AND ${isOther}`;
  const failed = upTo(`${other} AND kind = 'task' AND state <> 'succeeded'`, limit);
  // Successes are what is left of all tasks: no index is spent on the most frequent end.
  const others = upTo(other, Number.MAX_SAFE_INTEGER);
  const all = upTo("qluster_task INDEXED BY qluster_task_id WHERE project = ?", limit + others);
  return { queued: Math.min(free + delayed, limit), running, succeeded: all - others, failed };
}

/** Finished tasks by minute and queue, from the minute of `since` on. */
export function rollupsSince(session: Session, since: number): MinuteRollup[] {
  return session
    .all<MinuteRollup>(
      "SELECT minute, queue, succeeded, failed, busy_ms AS busyMs FROM qluster_rollup " +
        "WHERE project = ? AND minute >= ? ORDER BY minute, queue",
      [session.project, minuteOf(since)],
    )
    .map(({ minute, queue, succeeded, failed, busyMs }) => ({ minute, queue, succeeded, failed, busyMs }));
}
