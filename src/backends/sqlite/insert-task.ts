import type { AttemptRecord, FinalState, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import type { SqlValue } from "./driver.js";
import type { Session } from "./project-file.js";
import type { HeldMessage } from "./receipt.js";

export type FinalOutcome = Extract<Outcome, { to: FinalState }>;

const columns =
  "project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name, grp, kind, parent, " +
  "ending, counted, started_at, stopped_at, worker, attempt_error, error, result, envelope";

/**
 * The envelope moves inside the database, row by row: a statement each costs less than one for all of them that takes
 * the values apart again. The first ending stays, should a broker have carried a finished task twice.
 */
const selectEnded = `
  SELECT project, id, ?4, ?5, queue, -rank, attempts + ?7, starts + ?6, queued_at, due_at, func, name, grp, kind, parent,
    ?8, ?7, coalesce(?9, started_at), coalesce(?10, stopped_at, ?5), coalesce(?11, worker), ?12, ?13, ?14, envelope
  FROM qluster_message`;

const insertHeld = `
  INSERT INTO qluster_task (${columns}) ${selectEnded}
  WHERE seq = ?1 AND id = ?2 AND owner = ?3 ON CONFLICT DO NOTHING`;

const insertWaiting = `
  INSERT INTO qluster_task (${columns}) ${selectEnded}
  WHERE project = ?1 AND id = ?2 AND coalesce(owner, 0) = ?3 ON CONFLICT DO NOTHING`;

/** Stores the end of a message that `consumer` holds. `false`: it does not, or a finished task has the id already. */
export function insertEnded(
  session: Session,
  consumer: number,
  message: HeldMessage,
  attempt: AttemptRecord | null,
  outcome: FinalOutcome,
): boolean {
  return session.run(insertHeld, [message.seq, message.id, consumer, ...ending(session, attempt, outcome)]) === 1;
}

/** The same for a message that nobody holds. */
export function insertEndedWaiting(
  session: Session,
  id: string,
  attempt: AttemptRecord | null,
  outcome: FinalOutcome,
): boolean {
  return session.run(insertWaiting, [session.project, id, 0, ...ending(session, attempt, outcome)]) === 1;
}

function ending(session: Session, attempt: AttemptRecord | null, outcome: FinalOutcome): SqlValue[] {
  const succeeded = outcome.to === "succeeded";
  const error = succeeded ? null : errorText(outcome.error);
  const result = succeeded ? outcome.result : null;
  if (attempt === null) return [outcome.to, session.now, 0, 0, null, null, null, null, null, error, result];
  const { counted, startedAt, stoppedAt, worker } = attempt;
  return [
    outcome.to,
    session.now,
    1,
    counted ? 1 : 0,
    attempt.ending,
    startedAt,
    stoppedAt,
    worker,
    errorText(attempt.error),
    error,
    result,
  ];
}
