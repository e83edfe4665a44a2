import type { Receipt, ReleaseOptions } from "../../contracts/broker.js";
import { heldMessage } from "./receipt.js";
import type { Session } from "./project-file.js";

const ours = "seq = ?1 AND id = ?2 AND owner = ?3";

/** Removes messages for good; `false` for what is not the consumer's any more. */
export function acknowledge(session: Session, consumer: number, receipts: readonly Receipt[]): boolean[] {
  return receipts.map((receipt) => removeHeld(session, consumer, heldMessage(receipt)));
}

/** Removes one message, with the attempts it may have had. */
function removeHeld(session: Session, consumer: number, message: { seq: number; id: string }): boolean {
  const row = session.first<{ starts: number }>(`DELETE FROM qluster_message WHERE ${ours} RETURNING starts`, [
    message.seq,
    message.id,
    consumer,
  ]);
  if (row !== undefined && row.starts > 0) forgetAttempts(session, message.id);
  return row !== undefined;
}

export function forgetAttempts(session: Session, id: string): void {
  session.run("DELETE FROM qluster_attempt WHERE project = ? AND id = ?", [session.project, id]);
}

/** Without a delay a message keeps its due time, and with it its old place. */
const giveBackSql = `
  UPDATE qluster_message
  SET owner = CASE WHEN ?4 > 0 THEN 0 END,
    due_at = CASE WHEN ?4 > 0 THEN ?5 + ?4 ELSE due_at END,
    deliveries = max(0, deliveries + ?6)
  WHERE ${ours}`;

/** Gives messages back, unstarted. What is not the consumer's any more is passed over. */
export function release(
  session: Session,
  consumer: number,
  receipts: readonly Receipt[],
  { delayMs = 0, suspect = false }: ReleaseOptions,
): void {
  for (const receipt of receipts) {
    const { seq, id } = heldMessage(receipt);
    session.run(giveBackSql, [seq, id, consumer, Math.ceil(delayMs), session.now, suspect ? 1 : -1]);
  }
}
