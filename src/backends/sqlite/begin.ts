import type { Delivery } from "../../contracts/broker.js";
import type { Begun } from "../../contracts/outbox.js";
import { freeKeysSql } from "./claim.js";
import { nobody } from "./insert-ended.js";
import type { Session } from "./project-file.js";
import { receiptOf } from "../sql/receipt.js";

interface BeginRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  readonly owner: number | null;
  readonly deliveries: number;
  readonly attempts: number;
  readonly starts: number;
  readonly queued_at: number;
  readonly due_at: number;
  readonly expires_at: number | null;
  readonly unique_until: string | null;
  readonly held_until: number | null;
}

const rowsSql = `
  SELECT m.seq, m.id, m.queue, m.envelope, m.owner, m.deliveries, m.attempts, m.starts, m.queued_at, m.due_at,
    m.expires_at, m.unique_until, c.expires_at AS held_until
  FROM qluster_message m LEFT JOIN qluster_consumer c ON c.seq = m.owner
  WHERE m.project = ? AND m.id IN (SELECT value FROM json_each(?))`;

const finishedSql = "SELECT id FROM qluster_task WHERE project = ? AND id IN (SELECT value FROM json_each(?))";

const beginSql = `
  UPDATE qluster_message SET owner = ?, deliveries = deliveries + 1, send_at = NULL
  WHERE seq IN (SELECT value FROM json_each(?))`;

/** Begins what may run, and says of everything else why not. Inside the transaction that has checked the lease. */
export function beginTasks(session: Session, consumer: number, ids: readonly string[]): Begun[] {
  if (ids.length === 0) return [];
  const found = session.all<BeginRow>(rowsSql, [session.project, JSON.stringify(ids)]);
  const rows = new Map(found.map((row) => [row.id, row]));
  const finished = rows.size === ids.length ? new Set<string>() : finishedAmong(session, ids);
  const startable = [...rows.values()].filter((row) => isFree(row) && row.due_at <= session.now);
  const started = new Set(startable);
  start(session, consumer, startable);
  return ids.map((id) => {
    const row = rows.get(id);
    if (row === undefined) return { as: finished.has(id) ? "finished" : "unknown" };
    if (started.has(row)) return { as: "begun", delivery: delivery(row, row.deliveries + 1, session.now) };
    if (row.owner === consumer) return { as: "begun", delivery: delivery(row, row.deliveries, session.now) };
    const until = isFree(row) ? row.due_at : (row.held_until ?? 0);
    return { as: "later", delayMs: Math.max(1, until - session.now) };
  });
}

function start(session: Session, consumer: number, rows: readonly BeginRow[]): void {
  if (rows.length === 0) return;
  const seqs = JSON.stringify(rows.map(({ seq }) => seq));
  session.run(beginSql, [consumer, seqs]);
  if (rows.some((row) => row.unique_until === "started")) session.run(freeKeysSql, [seqs]);
}

function finishedAmong(session: Session, ids: readonly string[]): Set<string> {
  const rows = session.all<{ id: string }>(finishedSql, [session.project, JSON.stringify(ids)]);
  return new Set(rows.map(({ id }) => id));
}

function isFree({ owner }: BeginRow): boolean {
  return owner === null || owner === nobody;
}

function delivery(row: BeginRow, deliveries: number, now: number): Delivery {
  const { id, queue, envelope, attempts, starts } = row;
  const expired = row.expires_at !== null && row.expires_at <= now;
  const times = { queuedAt: row.queued_at, dueAt: row.due_at };
  return { receipt: receiptOf(row.seq, id), id, queue, envelope, deliveries, attempts, starts, ...times, expired };
}
