import type { ConsumeOptions, RunningTask } from "../../contracts/broker.js";
import { clusterLost, runningTasks } from "../sql/endings.js";
import { errorText } from "../sql/error-text.js";
import type { Session } from "./project-file.js";
import { allGivenBack } from "./send-times.js";

interface ConsumerRow {
  readonly seq: number;
  readonly host: string;
  readonly pid: number;
  readonly running: string;
}

/** Starts a lease. Resolves to the consumer's number, which is never used again. */
export function openLease(session: Session, { leaseMs, cluster }: ConsumeOptions): number {
  freeOrphans(session);
  const row = session.first<{ seq: number }>(
    "INSERT INTO qluster_consumer (project, cluster, host, pid, lease_ms, expires_at, running) " +
      "VALUES (?, ?, ?, ?, ?, ?, '[]') RETURNING seq",
    [session.project, cluster.id, cluster.host, cluster.pid, Math.ceil(leaseMs), session.now + Math.ceil(leaseMs)],
  );
  return row?.seq ?? 0;
}

/** `false`: somebody has taken over. */
export function renewLease(session: Session, consumer: number, running: readonly RunningTask[]): boolean {
  return (
    session.run("UPDATE qluster_consumer SET expires_at = ? + lease_ms, running = ? WHERE seq = ?", [
      session.now,
      JSON.stringify(running),
      consumer,
    ]) === 1
  );
}

/** The index is a partial one: only `owner > 0`, written out, lets SQLite use it. */
const freeHeld = `
  UPDATE qluster_message INDEXED BY qluster_message_held
  SET owner = NULL, deliveries = max(0, deliveries - ?2)
  WHERE owner = ?1 AND owner > 0`;

/** Gives everything back, as a clean release does, and ends the lease. */
export function closeLease(session: Session, consumer: number): void {
  session.run("DELETE FROM qluster_consumer WHERE seq = ?", [consumer]);
  allGivenBack(session, consumer);
  session.run(freeHeld, [consumer, 1]);
}

/**
 * Leases that end later than they ever could, as the clock was set back, end one lease from now: else the dead would keep
 * what they held for as long as the clock has jumped.
 */
export function shortenLeases(session: Session, skewMs: number): void {
  session.run(
    "UPDATE qluster_consumer SET expires_at = ?2 + lease_ms WHERE project = ?1 AND expires_at > ?2 + lease_ms + ?3",
    [session.project, session.now, skewMs],
  );
}

/** Ends the leases that ran out, but never the heir's own. `true` when there were any. */
export function takeOver(session: Session, heir: number): boolean {
  const silent = session.all<ConsumerRow>(
    "DELETE FROM qluster_consumer WHERE project = ? AND expires_at <= ? AND seq <> ? RETURNING seq, host, pid, running",
    [session.project, session.now, heir],
  );
  for (const consumer of silent) {
    for (const task of runningTasks(consumer.running)) recordLost(session, consumer, task);
    allGivenBack(session, consumer.seq);
    session.run(freeHeld, [consumer.seq, 0]);
  }
  return silent.length > 0;
}

const insertLost = `
  INSERT INTO qluster_attempt (project, id, number, ending, counted, started_at, stopped_at, worker, error)
  SELECT project, id, starts + 1, 'lost', 1, ?4, ?5, ?6, ?7 FROM qluster_message
  WHERE project = ?1 AND id = ?2 AND owner = ?3
  ON CONFLICT DO NOTHING`;

const countLost = `
  UPDATE qluster_message
  SET attempts = attempts + 1, starts = starts + 1, deliveries = 0, started_at = ?4, stopped_at = ?5, worker = ?6
  WHERE project = ?1 AND id = ?2 AND owner = ?3`;

/** Its last renewal named the task as running: the attempt is on record, so the delivery has had its ending. */
function recordLost(session: Session, consumer: ConsumerRow, { id, startedAt, worker }: RunningTask): void {
  const common = [session.project, id, consumer.seq, Math.floor(startedAt), session.now, worker];
  if (session.run(insertLost, [...common, errorText(clusterLost(consumer))]) === 1) session.run(countLost, common);
}

/** A message whose consumer does not exist is free. Only a hand that deleted rows can have made one. */
function freeOrphans(session: Session): void {
  session.run(
    "UPDATE qluster_message INDEXED BY qluster_message_held SET owner = NULL WHERE owner > 0 AND project = ? " +
      "AND NOT EXISTS (SELECT 1 FROM qluster_consumer WHERE qluster_consumer.seq = qluster_message.owner)",
    [session.project],
  );
}
