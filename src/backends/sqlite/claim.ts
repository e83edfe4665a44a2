import type { Delivery } from "../../contracts/broker.js";
import { receiptOf } from "../sql/receipt.js";
import type { Session } from "./project-file.js";

/** A row as one JSON array: libsql takes 7 µs to make an object of so many columns, and 3 to hand over a text. */
type ClaimedRow = readonly [
  seq: number,
  id: string,
  envelope: string,
  deliveries: number,
  attempts: number,
  starts: number,
  queuedAt: number,
  dueAt: number,
  expiresAt: number | null,
  uniqueUntil: string | null,
];

/** How many messages that became due are let in at a time: the first of them must not wait for a million others. */
const promoteAtOnce = 1_000;

/** The indexes are named because an application that runs ANALYZE on its file must not change the plan. */
const claimableSql = `
  SELECT json_group_array(json_array(
    seq, id, envelope, deliveries, attempts, starts, queued_at, due_at, expires_at, unique_until)) AS claimable
  FROM (
    SELECT * FROM qluster_message INDEXED BY qluster_message_free
    WHERE project = ? AND queue = ? AND owner IS NULL
    ORDER BY rank, due_at, seq LIMIT ?)`;

const claimSql =
  "UPDATE qluster_message SET owner = ?, deliveries = deliveries + 1 WHERE seq IN (SELECT value FROM json_each(?))";

export const freeKeysSql: string = `
  UPDATE qluster_message SET unique_key = NULL, unique_until = NULL
  WHERE seq IN (SELECT value FROM json_each(?)) AND unique_until = 'started'`;

const promoteSql = `
  UPDATE qluster_message SET owner = NULL
  WHERE seq IN (
    SELECT seq FROM qluster_message INDEXED BY qluster_message_delayed
    WHERE project = ?1 AND owner = 0 AND due_at <= ?2
    ORDER BY due_at LIMIT ${promoteAtOnce})`;

const isWaitingSql =
  "SELECT 1 FROM qluster_message INDEXED BY qluster_message_free WHERE project = ? AND queue = ? AND owner IS NULL LIMIT 1";

const nextDueSql =
  "SELECT min(due_at) AS due_at FROM qluster_message INDEXED BY qluster_message_delayed WHERE project = ? AND owner = 0";

/** Hands out up to `max` messages, from the first queue first; in each by priority, due time and enqueue order. */
export function claim(session: Session, consumer: number, queues: readonly string[], max: number): Delivery[] {
  const deliveries: Delivery[] = [];
  for (const queue of queues) {
    const left = max - deliveries.length;
    if (left <= 0) break;
    for (const row of claimRows(session, consumer, queue, left)) deliveries.push(delivery(row, queue, session.now));
  }
  return deliveries;
}

function claimRows(session: Session, consumer: number, queue: string, max: number): ClaimedRow[] {
  const found = session.first<{ claimable: string }>(claimableSql, [session.project, queue, max]);
  const rows = JSON.parse(found?.claimable ?? "[]") as ClaimedRow[];
  if (rows.length === 0) return rows;
  const seqs = JSON.stringify(rows.map(([seq]) => seq));
  session.run(claimSql, [consumer, seqs]);
  if (rows.some((row) => row[9] === "started")) session.run(freeKeysSql, [seqs]);
  return rows;
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

function delivery(row: ClaimedRow, queue: string, now: number): Delivery {
  const [seq, id, envelope, deliveries, attempts, starts, queuedAt, dueAt, expiresAt] = row;
  const expired = expiresAt !== null && expiresAt <= now;
  const receipt = receiptOf(seq, id);
  return { receipt, id, queue, envelope, deliveries: deliveries + 1, attempts, starts, queuedAt, dueAt, expired };
}
