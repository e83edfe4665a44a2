import type { Begun, Hold, Outbox, OutboxOptions, Unsent, UnsentMessage } from "../../contracts/outbox.js";
import { priorityOf } from "../sql/task-row.js";
import { beginTasks } from "./begin.js";
import { SqliteConsumer, type ConsumerParts } from "./consumer.js";
import type { SqlValue } from "./driver.js";
import { openLease } from "./lease.js";
import type { Session } from "./project-file.js";
import { adopt, isFree, markSent } from "./send-times.js";

const unsentFrom = "FROM qluster_message INDEXED BY qluster_message_unsent WHERE project = ? AND send_at IS NOT NULL";

const unsentSql = `
  SELECT seq, id, queue, rank, due_at ${unsentFrom} AND send_at <= ? AND ${isFree} ORDER BY send_at, seq LIMIT ?`;

const missingSql = `
  SELECT seq, id, queue, rank, due_at ${unsentFrom} AND send_at > ? AND send_at <= ? AND due_at <= ? AND queue = ?
    AND ${isFree}
  ORDER BY send_at, seq LIMIT ?`;

const nextSql = `SELECT send_at ${unsentFrom} AND ${isFree} ORDER BY send_at LIMIT 1`;

const handSql = "UPDATE qluster_message SET send_at = ? WHERE seq IN (SELECT value FROM json_each(?))";

interface UnsentRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly rank: number;
  readonly due_at: number;
}

/** Tasks in the table `qluster_message` that a broker elsewhere carries: those with a `send_at`. */
export function sqliteOutbox(parts: ConsumerParts, options: OutboxOptions): Outbox {
  const { file } = parts;
  return {
    async hold(request) {
      const { seq, now } = await file.write((session) => {
        const opened = openLease(session, request);
        adopt(session, options);
        return { seq: opened, now: session.now };
      });
      return sqliteHold(new SqliteConsumer(seq, request, now, parts), seq, options);
    },
    async sent(ids) {
      if (ids.length > 0) await file.write((session) => markSent(session, options, ids));
    },
  };
}

function sqliteHold(consumer: SqliteConsumer, seq: number, options: OutboxOptions): Hold {
  return {
    id: consumer.id,
    acknowledge: (receipts) => consumer.acknowledge(receipts),
    release: (receipts, how) => consumer.release(receipts, how),
    renew: (running) => consumer.renew(running),
    close: () => consumer.close(),
    begin: (ids): Promise<Begun[]> => consumer.underLease((session) => beginTasks(session, seq, ids)),
    unsent: (max) =>
      // Reads first, so that an idle cluster never asks for the write lock.
      consumer.underLease(
        (session) => unsentNow(session, options, max),
        (session) => notYet(session),
      ),
    missing: (queue, max) => consumer.underLease((session) => missingNow(session, options, queue, max)),
  };
}

/** The answer when there is nothing to send now. */
function notYet(session: Session): Unsent | undefined {
  const nextInMs = nextSend(session);
  return nextInMs === 0 ? undefined : { messages: [], nextInMs };
}

function unsentNow(session: Session, options: OutboxOptions, max: number): Unsent {
  const messages = hand(session, options, unsentSql, [session.project, session.now, max]);
  return { messages, nextInMs: nextSend(session) };
}

function missingNow(session: Session, options: OutboxOptions, queue: string, max: number): UnsentMessage[] {
  const { project, now } = session;
  const sentBefore = now + options.resendMs - options.missingMs;
  return hand(session, options, missingSql, [project, now + options.handMs, sentBefore, now, queue, max]);
}

function nextSend(session: Session): number | null {
  const next = session.first<{ send_at: number }>(nextSql, [session.project]);
  return next === undefined ? null : Math.max(0, next.send_at - session.now);
}

function hand(session: Session, { handMs }: OutboxOptions, sql: string, values: readonly SqlValue[]): UnsentMessage[] {
  const rows = session.all<UnsentRow>(sql, values);
  if (rows.length > 0) session.run(handSql, [session.now + handMs, JSON.stringify(rows.map(({ seq }) => seq))]);
  return rows.map(({ id, queue, rank, due_at }) => {
    return { id, queue, priority: priorityOf(rank), delayMs: Math.max(0, due_at - session.now) };
  });
}
