import type { Receipt, ReleaseOptions } from "../../contracts/broker.js";
import { heldMessage } from "../sql/receipt.js";
import type { Session } from "./project-file.js";
import { givenBack } from "./send-times.js";

const ours = "seq = ?1 AND id = ?2 AND owner = ?3";

/** Removes messages for good; `false` for what is not the consumer's any more. */
export function acknowledge(session: Session, consumer: number, receipts: readonly Receipt[]): boolean[] {
  return receipts.map((receipt) => removeHeld(session, consumer, heldMessage(receipt)));
}

/** Removes one message, with the attempts and notes it may have had. */
function removeHeld(session: Session, consumer: number, message: { seq: number; id: string }): boolean {
  const count = session.run(`DELETE FROM qluster_message WHERE ${ours}`, [message.seq, message.id, consumer]);
  if (count === 0) return false;
  forgetDetails(session, message.id);
  return true;
}

/** What belongs to a task that leaves no record. */
export const detailTables = ["qluster_attempt", "qluster_progress", "qluster_log"] as const;

/** Removes the attempts and notes of a task. */
export function forgetDetails(session: Session, id: string): void {
  for (const table of detailTables) {
    session.run(`DELETE FROM ${table} WHERE project = ? AND id = ?`, [session.project, id]);
  }
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
    const values = [seq, id, consumer, Math.ceil(delayMs), session.now, suspect ? 1 : -1];
    if (session.run(giveBackSql, values) === 1) givenBack(session, seq);
  }
}
