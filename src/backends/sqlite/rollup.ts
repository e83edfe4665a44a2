import type { SqlSteps } from "../../contracts/transaction.js";
import { minuteOf, totalsByQueue, type Ended } from "../sql/rollup.js";
import type { Session } from "./project-file.js";

const onConflict = `
  ON CONFLICT (project, minute, queue) DO UPDATE SET
    succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed, busy_ms = busy_ms + excluded.busy_ms`;

const rollUpSql = `
  INSERT INTO qluster_rollup (project, minute, queue, succeeded, failed, busy_ms) VALUES (?, ?, ?, ?, ?, ?) ${onConflict}`;

/** A task that ended without an attempt just now may carry the times of an earlier one: that has been no work now. */
const rollUpStoredSql = `
  INSERT INTO qluster_rollup (project, minute, queue, succeeded, failed, busy_ms)
  SELECT project, ?, queue, sum(state = 'succeeded'), sum(state <> 'succeeded'),
    sum(CASE WHEN ending IS NULL THEN 0 ELSE max(0, stopped_at - started_at) END)
  FROM qluster_task NOT INDEXED WHERE seq > ? AND kind = 'task' GROUP BY project, queue ${onConflict}`;

/** Adds final outcomes to the counts of this minute. */
export function rollUp(session: Session, ended: readonly Ended[]): void {
  for (const { queue, succeeded, failed, busyMs } of totalsByQueue(ended)) {
    session.run(rollUpSql, [session.project, minuteOf(session.now), queue, succeeded, failed, Math.round(busyMs)]);
  }
}

/** The same in a foreign transaction. */
export function* rollUpSteps(
  { project, now }: Pick<Session, "project" | "now">,
  ended: readonly Ended[],
): SqlSteps<void> {
  for (const { queue, succeeded, failed, busyMs } of totalsByQueue(ended)) {
    const parameters = [project, minuteOf(now), queue, succeeded, failed, Math.round(busyMs)];
    yield { sql: `${rollUpSql} RETURNING minute`, parameters };
  }
}

/** The same for all finished tasks after `last`. */
export function rollUpStored(session: Session, last: number): void {
  session.run(rollUpStoredSql, [minuteOf(session.now), last]);
}
