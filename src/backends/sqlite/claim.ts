import type { Delivery } from "../../contracts/broker.js";
import { receiptOf } from "./receipt.js";
import type { Session } from "./project-file.js";

interface ClaimedRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  readonly rank: number;
  readonly due_at: number;
  readonly deliveries: number;
  readonly attempts: number;
  readonly starts: number;
  readonly queued_at: number;
  readonly expires_at: number | null;
  readonly unique_until: string | null;
}

/** How many messages that became due are let in at a time: the first of them must not wait for a million others. */
const promoteAtOnce = 1_000;

/** The indexes are named because an application that runs ANALYZE on its file must not change the plan. */
export const claimSql = `
  UPDATE qluster_message SET owner = ?1, deliveries = deliveries + 1
  WHERE seq IN (
    SELECT seq FROM qluster_message INDEXED BY qluster_message_free
    WHERE project = ?2 AND queue = ?3 AND owner IS NULL
    ORDER BY rank, due_at, seq LIMIT ?4)
  RETURNING seq, id, queue, envelope, rank, due_at, deliveries, attempts, starts, queued_at, expires_at, unique_until`;

export const promoteSql: string = `
  UPDATE qluster_message SET owner = NULL
  WHERE seq IN (
    SELECT seq FROM qluster_message INDEXED BY qluster_message_delayed
    WHERE project = ?1 AND owner = 0 AND due_at <= ?2
    ORDER BY due_at LIMIT ${promoteAtOnce})`;

export const isWaitingSql =
  "SELECT 1 FROM qluster_message INDEXED BY qluster_message_free WHERE project = ? AND queue = ? AND owner IS NULL LIMIT 1";

export const nextDueSql =
  "SELECT min(due_at) AS due_at FROM qluster_message INDEXED BY qluster_message_delayed WHERE project = ? AND owner = 0";

/** Hands out up to `max` messages, from the first queue first; in each by priority, due time and enqueue order. */
export function claim(session: Session, consumer: number, queues: readonly string[], max: number): Delivery[] {
  const deliveries: Delivery[] = [];
  for (const queue of queues) {
    const left = max - deliveries.length;
    if (left <= 0) break;
    // RETURNING keeps no order.
    const rows = session.all<ClaimedRow>(claimSql, [consumer, session.project, queue, left]).sort(inOrder);
    for (const row of rows) deliveries.push(handedOut(session, row));
  }
  return deliveries;
}

/** Lets in what has become due. */
export function promote(session: Session): void {
  session.run(promoteSql, [session.project, session.now]);
}

/** When the next delayed message becomes due, or `Infinity`. */
export function nextDue(session: Session): number {
  return session.first<{ due_at: number | null }>(nextDueSql, [session.project])?.due_at ?? Infinity;
}

export function isAnythingWaiting(session: Session, queues: readonly string[]): boolean {
  return queues.some((queue) => session.first(isWaitingSql, [session.project, queue]) !== undefined);
}

function inOrder(a: ClaimedRow, b: ClaimedRow): number {
  return a.rank - b.rank || a.due_at - b.due_at || a.seq - b.seq;
}

function handedOut(session: Session, row: ClaimedRow): Delivery {
  if (row.unique_until === "started") {
    session.run("UPDATE qluster_message SET unique_key = NULL, unique_until = NULL WHERE seq = ?", [row.seq]);
  }
  return {
    receipt: receiptOf(row.seq, row.id),
    id: row.id,
    queue: row.queue,
    envelope: row.envelope,
    deliveries: row.deliveries,
    attempts: row.attempts,
    starts: row.starts,
    queuedAt: row.queued_at,
    dueAt: row.due_at,
    expired: row.expires_at !== null && row.expires_at <= session.now,
  };
}
