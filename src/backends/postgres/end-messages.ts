import type { Receipt } from "../../contracts/broker.js";
import type { AttemptRecord, FinalState, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { forgetDetails, messageNumber } from "./held-messages.js";
import { statement, type SqlValue } from "./statement.js";

export type FinalOutcome = Extract<Outcome, { to: FinalState }>;

/** A message that ends, and how. */
export interface EndedMessage {
  readonly receipt: Receipt;
  readonly attempt: AttemptRecord | null;
  readonly outcome: FinalOutcome;
}

/** The owner of a message that nobody holds, free or delayed. */
export const nobody = 0;

/** Rows of a rollup that clusters share out among themselves. */
const parts = 16;

const rollUp = (ended: string): string => `
  counted AS (
    INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
    SELECT $1, {now} / 60000 * 60000, queue, $2::bigint % ${parts}, count(*) FILTER (WHERE state = 'succeeded'),
      count(*) FILTER (WHERE state <> 'succeeded'), sum(greatest(0, coalesce(ran_ms, 0)))
    FROM ${ended} WHERE kind = 'task' GROUP BY queue
    ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
      failed = r.failed + excluded.failed, busy_ms = r.busy_ms + excluded.busy_ms)`;

/**
 * The delete is the fence: what it does not return is not ours any more. The envelope moves inside the database. The
 * first ending stays, should a task be here twice.
 */
const endSql = statement(
  "end-messages",
  `WITH gone AS (
     DELETE FROM {message} m
     USING unnest($3::bigint[], $4::text[], $5::int[], $6::int[], $7::text[], $8::bigint[], $9::bigint[], $10::text[],
       $11::text[], $12::text[], $13::text[]) WITH ORDINALITY
       AS f (seq, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result, place)
     WHERE m.seq = f.seq AND m.project = $1 AND coalesce(m.owner, ${nobody}) = $2::bigint
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
     FROM gone ORDER BY place ON CONFLICT DO NOTHING), ${rollUp("gone")}
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 2) FROM gone`,
);

/** For what leaves no record. */
const removeSql = statement(
  "remove-messages",
  `WITH gone AS (
     DELETE FROM {message} m USING unnest($3::bigint[], $4::bigint[]) AS f (seq, ran_ms)
     WHERE m.seq = f.seq AND m.project = $1 AND coalesce(m.owner, ${nobody}) = $2::bigint
     RETURNING m.seq, m.id, m.queue, m.kind, 'succeeded' AS state, f.ran_ms), ${forgetDetails}, ${rollUp("gone")}
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 2) FROM gone`,
);

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
