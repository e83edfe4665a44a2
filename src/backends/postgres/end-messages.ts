import type { Receipt } from "../../contracts/broker.js";
import type { AttemptRecord, FinalState, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { forgetDetails, heldBy, messageNumber } from "./held-messages.js";
import { keepOutcomes } from "./schedule-runs.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

export type FinalOutcome = Extract<Outcome, { to: FinalState }>;

/** A message that ends, and how. */
export interface EndedMessage {
  readonly receipt: Receipt;
  readonly attempt: AttemptRecord | null;
  readonly outcome: FinalOutcome;
}

/** Rows of a rollup that clusters share out among themselves. */
const parts = 16;

const ownPart = `$2::bigint % ${parts}`;

/** Of a transaction of the application, which may stay open for long: nobody else's row, so that nobody waits for it. */
const connectionPart = `${parts} + pg_backend_pid() % 1000`;

const rollUp = (ended: string, part: string): string => `
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT $1, {now} / 60000 * 60000, queue, ${part}, count(*) FILTER (WHERE state = 'succeeded'),
      count(*) FILTER (WHERE state <> 'succeeded'), sum(greatest(0, coalesce(ran_ms, 0)))
    FROM ${ended} WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      failed = r.failed + excluded.failed, busy_ms = r.busy_ms + excluded.busy_ms)`;

/**
 * The delete is the fence: what it does not return is not ours any more. The envelope moves inside the database. The
 * first ending stays, should a task be here twice.
 */
const endText = (part: string): string => `WITH gone AS (
     DELETE FROM {message} m
     USING ${rowsOf(3, "bigint", "text", "int", "int", "text", "bigint", "bigint", "text", "text", "text", "text")} WITH ORDINALITY
       AS f (seq, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result, place)
     WHERE m.seq = f.seq AND ${heldBy}
     RETURNING f.place, f.state, f.started, f.counted, f.ending, f.attempt_error, f.error, f.result, m.seq, m.id, m.queue,
       m.rank, m.attempts, m.starts, m.queued_at, m.due_at, m.func, m.name, m.grp, m.kind, m.parent, m.envelope,
       coalesce(f.started_at, m.started_at) AS started_at, coalesce(f.stopped_at, m.stopped_at) AS stopped_at,
       coalesce(f.worker, m.worker) AS worker, f.stopped_at - f.started_at AS ran_ms),
   stored AS (
     INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
       grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, envelope)
     SELECT $1, id, state, {now}, queue, -rank, attempts + counted, starts + started, queued_at, due_at, func, name,
       grp, kind, parent, ending, counted, started_at, coalesce(stopped_at, {now}), worker, attempt_error, error, result,
       envelope
     FROM gone ORDER BY place ON CONFLICT DO NOTHING), ${rollUp("gone", part)}
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 2) FROM gone`;

/** For what leaves no record. */
const removeText = (part: string): string => `WITH gone AS (
     DELETE FROM {message} m USING ${rowsOf(3, "bigint", "bigint")} AS f (seq, ran_ms)
     WHERE m.seq = f.seq AND ${heldBy}
     RETURNING m.seq, m.id, m.queue, m.kind, m.parent, 'succeeded' AS state, f.ran_ms), ${keepOutcomes}, ${forgetDetails}, ${rollUp("gone", part)}
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 2) FROM gone`;

const endSql = statement("end-messages", endText(ownPart));
const removeSql = statement("remove-messages", removeText(ownPart));
const endInside = statement("end-inside", endText(connectionPart));
const removeInside = statement("remove-inside", removeText(connectionPart));

/** The statement of {@link endMessages} for one success in a transaction of the application, with all its parameters. */
export function endingInside(
  project: number,
  owner: number,
  message: EndedMessage,
): { readonly sql: Statement; readonly parameters: readonly SqlValue[] } {
  const isKept = message.outcome.to !== "succeeded" || message.outcome.keep;
  const parameters = isKept ? endParameters(owner, [message]) : removeParameters(owner, [message]);
  return { sql: isKept ? endInside : removeInside, parameters: [project, ...parameters] };
}

/** Moves messages that `owner` holds to the finished tasks. Resolves to the numbers of those that were still its own. */
export async function endMessages(
  database: Queries,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number>> {
  const kept = messages.filter(({ outcome }) => outcome.to !== "succeeded" || outcome.keep);
  const unkept = messages.filter(({ outcome }) => outcome.to === "succeeded" && !outcome.keep);
  const ended = new Set<number>();
  if (kept.length > 0) add(ended, await database.first<EndedRow>(endSql, endParameters(owner, kept)));
  if (unkept.length > 0) add(ended, await database.first<EndedRow>(removeSql, removeParameters(owner, unkept)));
  return ended;
}

interface EndedRow {
  readonly seqs: string | null;
}

function add(ended: Set<number>, row: EndedRow | undefined): void {
  for (const seq of row?.seqs?.split(",") ?? []) ended.add(Number(seq));
}

function endParameters(owner: number, messages: readonly EndedMessage[]): SqlValue[] {
  const texts = (of: (message: EndedMessage) => string | null): string => textArray(messages.map(of));
  const numbers = (of: (message: EndedMessage) => number | null): string => numberArray(messages.map(of));
  return [
    owner,
    numbers(({ receipt }) => messageNumber(receipt)),
    texts(({ outcome }) => outcome.to),
    numbers(({ attempt }) => (attempt === null ? 0 : 1)),
    numbers(({ attempt }) => (attempt?.counted === true ? 1 : 0)),
    texts(({ attempt }) => attempt?.ending ?? null),
    numbers(({ attempt }) => (attempt === null ? null : Math.floor(attempt.startedAt))),
    numbers(({ attempt }) => (attempt === null ? null : Math.floor(attempt.stoppedAt))),
    texts(({ attempt }) => attempt?.worker ?? null),
    texts(({ attempt }) => errorText(attempt?.error ?? null)),
    texts(({ outcome }) => (outcome.to === "succeeded" ? null : errorText(outcome.error))),
    texts(({ outcome }) => (outcome.to === "succeeded" ? outcome.result : null)),
  ];
}

function removeParameters(owner: number, messages: readonly EndedMessage[]): SqlValue[] {
  return [
    owner,
    numberArray(messages.map(({ receipt }) => messageNumber(receipt))),
    numberArray(
      messages.map(({ attempt }) => (attempt === null ? 0 : Math.floor(attempt.stoppedAt - attempt.startedAt))),
    ),
  ];
}
