import type { AttemptRecord, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import type { Session } from "./project-file.js";
import type { HeldMessage } from "../sql/receipt.js";
import { givenBack } from "./send-times.js";

const insertAttempt = `
  INSERT INTO qluster_attempt (project, id, number, ending, counted, started_at, stopped_at, worker, error)
  SELECT project, id, starts + 1, ?4, ?5, ?6, ?7, ?8, ?9 FROM qluster_message
  WHERE seq = ?1 AND id = ?2 AND owner = ?3
  ON CONFLICT DO NOTHING`;

/** ?4: the delay. ?5: the place in line starts anew. ?7: added to the deliveries, `NULL` to start anew. ?8: on record. */
const putBackSql = `
  UPDATE qluster_message
  SET owner = CASE WHEN ?4 > 0 THEN 0 END,
    due_at = CASE WHEN ?5 = 1 OR ?4 > 0 THEN ?6 + ?4 ELSE due_at END,
    deliveries = coalesce(max(0, deliveries + ?7), 0),
    starts = starts + ?8,
    attempts = attempts + ?9,
    started_at = coalesce(?10, started_at),
    stopped_at = coalesce(?11, stopped_at),
    worker = coalesce(?12, worker)
  WHERE seq = ?1 AND id = ?2 AND owner = ?3`;

/** Back into the queue, with the attempt that ended on record. `false`: the consumer does not hold the message. */
export function putBack(
  session: Session,
  consumer: number,
  message: HeldMessage,
  attempt: AttemptRecord | null,
  outcome: Extract<Outcome, { to: "retrying" | "queued" }>,
): boolean {
  const key = [message.seq, message.id, consumer];
  const isRetry = outcome.to === "retrying";
  const deliveries = isRetry ? null : outcome.suspect ? 1 : -1;
  if (attempt !== null) recordAttempt(session, key, attempt);
  const changes = session.run(putBackSql, [
    ...key,
    Math.ceil(outcome.delayMs),
    isRetry ? 1 : 0,
    session.now,
    deliveries,
    attempt === null ? 0 : 1,
    attempt?.counted === true ? 1 : 0,
    attempt === null ? null : Math.floor(attempt.startedAt),
    attempt === null ? null : Math.floor(attempt.stoppedAt),
    attempt?.worker ?? null,
  ]);
  if (changes === 1) givenBack(session, message.seq);
  return changes === 1;
}

function recordAttempt(session: Session, key: readonly (string | number)[], attempt: AttemptRecord): void {
  const { ending, counted, startedAt, stoppedAt, worker, error } = attempt;
  session.run(insertAttempt, [
    ...key,
    ending,
    counted ? 1 : 0,
    Math.floor(startedAt),
    Math.floor(stoppedAt),
    worker,
    errorText(error),
  ]);
}
