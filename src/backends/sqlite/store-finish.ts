import type { Outcome, Settlement, TaskKind } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { minuteOf, totalsByQueue, type Ended } from "../sql/rollup.js";
import { forgetAttempts } from "./held-messages.js";
import { insertEnded, type FinalOutcome } from "./insert-task.js";
import type { ProjectFile, Session } from "./project-file.js";
import { consumerNumber, heldMessage, type HeldMessage } from "./receipt.js";
import { submitInside } from "./store-submit.js";

/** Ends deliveries, all in one transaction, each only if the consumer still holds it. */
export async function finishDeliveries(
  file: ProjectFile,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  if (settlements.length === 0) return [];
  const answers = await file.write((session) => finishInside(session, consumerNumber(consumer), settlements));
  file.wakeUp.changed();
  return answers;
}

function finishInside(session: Session, consumer: number, settlements: readonly Settlement[]): boolean[] {
  const tally: Tally = { stored: [], ended: [] };
  const answers = settlements.map((settlement) => settle(session, consumer, settlement, tally));
  rollUp(session, [...tally.ended, ...removeStored(session, tally.stored)]);
  const followUps = settlements.flatMap((settlement, index) => (answers[index] === true ? settlement.followUps : []));
  if (followUps.length > 0) submitInside(session, followUps);
  return answers;
}

interface Tally {
  /** Tasks that were stored, and whose messages are still to be removed, all at once. */
  readonly stored: { readonly seq: number; readonly state: FinalOutcome["to"]; readonly ranMs: number }[];
  /** What has ended already, without a record. */
  readonly ended: Ended[];
}

function settle(session: Session, consumer: number, settlement: Settlement, tally: Tally): boolean {
  const { attempt, outcome } = settlement;
  const message: HeldMessage = { seq: heldMessage(settlement.receipt).seq, id: settlement.id };
  if (outcome.to === "retrying" || outcome.to === "queued") {
    return putBack(session, consumer, message, attempt, outcome);
  }
  const ended = { state: outcome.to, ranMs: attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt };
  if (isKept(outcome) && insertEnded(session, consumer, message, attempt, outcome)) {
    tally.stored.push({ seq: message.seq, ...ended });
    return true;
  }
  const removed = removeUnstored(session, consumer, message);
  if (removed !== undefined) tally.ended.push({ ...removed, ...ended });
  return removed !== undefined;
}

function isKept(outcome: FinalOutcome): boolean {
  return outcome.to !== "succeeded" || outcome.keep;
}

const removeSql = `
  DELETE FROM qluster_message WHERE seq = ?1 AND id = ?2 AND owner = ?3 RETURNING queue, kind, starts`;

/** Nothing is to be kept of it, or there is an older ending, which stays. */
function removeUnstored(
  session: Session,
  consumer: number,
  { seq, id }: HeldMessage,
): Pick<Ended, "queue" | "kind"> | undefined {
  const row = session.first<{ queue: string; kind: TaskKind; starts: number }>(removeSql, [seq, id, consumer]);
  if (row === undefined) return undefined;
  if (row.starts > 0) forgetAttempts(session, id);
  return { queue: row.queue, kind: row.kind };
}

interface RemovedRow {
  readonly seq: number;
  readonly queue: string;
  readonly kind: TaskKind;
}

function removeStored(session: Session, stored: Tally["stored"]): Ended[] {
  if (stored.length === 0) return [];
  const rows = session.all<RemovedRow>(
    "DELETE FROM qluster_message WHERE seq IN (SELECT value FROM json_each(?)) RETURNING seq, queue, kind",
    [JSON.stringify(stored.map(({ seq }) => seq))],
  );
  const removed = new Map(rows.map((row) => [row.seq, row]));
  return stored.flatMap(({ seq, state, ranMs }) => {
    const row = removed.get(seq);
    return row === undefined ? [] : [{ queue: row.queue, kind: row.kind, state, ranMs }];
  });
}

const insertAttempt = `
  INSERT INTO qluster_attempt (project, id, number, ending, counted, started_at, stopped_at, worker, error)
  SELECT project, id, starts + 1, ?4, ?5, ?6, ?7, ?8, ?9 FROM qluster_message
  WHERE seq = ?1 AND id = ?2 AND owner = ?3
  ON CONFLICT DO NOTHING`;

/** ?4: 1 when an attempt is on record. ?9: `NULL` to set the deliveries to 0, else what to add. ?10: a new place in line. */
const putBackSql = `
  UPDATE qluster_message
  SET owner = CASE WHEN ?8 > 0 THEN 0 END,
    due_at = CASE WHEN ?10 = 1 OR ?8 > 0 THEN ?11 + ?8 ELSE due_at END,
    deliveries = coalesce(max(0, deliveries + ?9), 0),
    attempts = attempts + ?12,
    starts = starts + ?4,
    started_at = coalesce(?5, started_at),
    stopped_at = coalesce(?6, stopped_at),
    worker = coalesce(?7, worker)
  WHERE seq = ?1 AND id = ?2 AND owner = ?3`;

function putBack(
  session: Session,
  consumer: number,
  message: HeldMessage,
  attempt: Settlement["attempt"],
  outcome: Extract<Outcome, { to: "retrying" | "queued" }>,
): boolean {
  const key = [message.seq, message.id, consumer];
  const counted = attempt?.counted === true ? 1 : 0;
  if (attempt !== null) {
    const { ending, startedAt, stoppedAt, worker, error } = attempt;
    session.run(insertAttempt, [...key, ending, counted, startedAt, stoppedAt, worker, errorText(error)]);
  }
  const isRetry = outcome.to === "retrying";
  const deliveries = isRetry ? null : outcome.suspect ? 1 : -1;
  return (
    session.run(putBackSql, [
      ...key,
      attempt === null ? 0 : 1,
      attempt?.startedAt ?? null,
      attempt?.stoppedAt ?? null,
      attempt?.worker ?? null,
      outcome.delayMs,
      deliveries,
      isRetry ? 1 : 0,
      session.now,
      counted,
    ]) === 1
  );
}

const rollUpSql = `
  INSERT INTO qluster_rollup (project, minute, queue, succeeded, failed, busy_ms) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (project, minute, queue) DO UPDATE SET
    succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed, busy_ms = busy_ms + excluded.busy_ms`;

/** Adds final outcomes to the counts of this minute. */
export function rollUp(session: Session, ended: readonly Ended[]): void {
  for (const { queue, succeeded, failed, busyMs } of totalsByQueue(ended)) {
    session.run(rollUpSql, [session.project, minuteOf(session.now), queue, succeeded, failed, Math.round(busyMs)]);
  }
}
