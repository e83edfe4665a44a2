import type { OutboxOptions } from "../../contracts/outbox.js";
import type { SqlValue } from "./driver.js";
import type { SqlStatement } from "../../contracts/transaction.js";
import type { Moment, Session } from "./project-file.js";

/** What nobody holds. */
export const isFree = "(owner IS NULL OR owner = 0)";

const toSend = "max(?1 + ?2, due_at - ?3)";
const toResend = "CASE WHEN due_at - ?3 > ?1 THEN due_at - ?3 ELSE max(?1, due_at) + ?2 END";

// Statements of their own, and only with an outbox: without one, the statements of the hot path stay as short as they are.
const writtenSql = `
  UPDATE qluster_message SET send_at = ${toSend}
  WHERE project = ?4 AND id IN (SELECT value FROM json_each(?5)) AND send_at IS NULL AND ${isFree}`;
const givenBackSql = `UPDATE qluster_message SET send_at = ${toResend} WHERE seq = ?4 AND ${isFree}`;
const allGivenBackSql = `
  UPDATE qluster_message INDEXED BY qluster_message_held SET send_at = ${toResend} WHERE owner = ?4 AND owner > 0`;
const sentSql = `
  UPDATE qluster_message SET send_at = ${toResend}
  WHERE project = ?4 AND id IN (SELECT value FROM json_each(?5)) AND send_at <= ?6 AND ${isFree}`;
const adoptSql = `
  UPDATE qluster_message SET send_at = max(?1, due_at - ?2) WHERE project = ?3 AND send_at IS NULL AND ${isFree}`;

/** New messages: whoever writes them also sends them, soon. Who does not, writes in a session whose `handMs` is 0. */
export function written(session: Session, ids: readonly string[]): void {
  const { outbox, now, project } = session;
  if (outbox === null) return;
  session.run(writtenSql, [now, outbox.handMs, outbox.aheadMs, project, JSON.stringify(ids)]);
}

const writtenElsewhereSql = `
  UPDATE qluster_message SET send_at = max(?, due_at - ?)
  WHERE project = ? AND id IN (SELECT value FROM json_each(?)) AND send_at IS NULL AND ${isFree} RETURNING id`;

/** New messages on a foreign transaction: its writer cannot send them, so everybody may, from the commit on. */
export function writtenElsewhere(at: Moment, { aheadMs }: OutboxOptions, ids: readonly string[]): SqlStatement {
  return { sql: writtenElsewhereSql, parameters: [at.now, aheadMs, at.project, JSON.stringify(ids)] };
}

/** A message that has just been given back. */
export function givenBack(session: Session, seq: number): void {
  if (session.outbox !== null) session.run(givenBackSql, [...resending(session, session.outbox), seq]);
}

/** Before everything that a consumer holds is given back. */
export function allGivenBack(session: Session, consumer: number): void {
  if (session.outbox !== null) session.run(allGivenBackSql, [...resending(session, session.outbox), consumer]);
}

export function markSent(session: Session, outbox: OutboxOptions, ids: readonly string[]): void {
  const { now, project } = session;
  session.run(sentSql, [...resending(session, outbox), project, JSON.stringify(ids), now + outbox.handMs]);
}

/** What was written before the file had an outbox. */
export function adopt(session: Session, { aheadMs }: OutboxOptions): void {
  session.run(adoptSql, [session.now, aheadMs, session.project]);
}

function resending({ now }: Session, { resendMs, aheadMs }: OutboxOptions): SqlValue[] {
  return [now, resendMs, aheadMs];
}
