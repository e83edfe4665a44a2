import type { Outcome, Settlement } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { heldBy, messageNumber, resending, sendAgain } from "./held-messages.js";
import { statement, type SqlValue } from "./statement.js";

type BackOutcome = Extract<Outcome, { to: "retrying" | "queued" }>;

/** A settlement that puts its message back into the queue. */
export type PutBack = Settlement & { readonly outcome: BackOutcome };

export function isPutBack(settlement: Settlement): settlement is PutBack {
  return settlement.outcome.to === "retrying" || settlement.outcome.to === "queued";
}

const dueAt = "CASE WHEN f.is_retry = 1 OR f.delay > 0 THEN {now} + f.delay ELSE m.due_at END";

/** step: added to the deliveries, NULL to start anew. is_retry: the place in line starts anew. */
const putBackSql = statement(
  "put-back",
  `WITH back AS (
     UPDATE {message} m
     SET owner = CASE WHEN f.delay > 0 THEN 0 END,
       due_at = ${dueAt},
       send_at = ${sendAgain(dueAt, "$13", "$14")},
       deliveries = CASE WHEN f.step IS NULL THEN 0 ELSE greatest(0, m.deliveries + f.step) END,
       starts = m.starts + CASE WHEN f.ending IS NULL THEN 0 ELSE 1 END,
       attempts = m.attempts + f.counted,
       started_at = coalesce(f.started_at, m.started_at),
       stopped_at = coalesce(f.stopped_at, m.stopped_at),
       worker = coalesce(f.worker, m.worker)
     FROM ${rowsOf(3, "bigint", "bigint", "int", "int", "int", "text", "bigint", "bigint", "text", "text")} AS f (seq, delay, is_retry, step, counted, ending, started_at, stopped_at, worker, error)
     WHERE m.seq = f.seq AND ${heldBy}
     RETURNING m.seq, m.id, m.starts, f.ending, f.counted, f.started_at, f.stopped_at, f.worker, f.error),
   recorded AS (
     INSERT INTO {attempt} (project, id, number, ending, counted, started_at, stopped_at, worker, error)
     SELECT $1, id, starts, ending, counted, started_at, stopped_at, worker, error FROM back WHERE ending IS NOT NULL
     ON CONFLICT DO NOTHING)
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 1) FROM back`,
);

/** Back into the queue, with the attempts that ended on record. Resolves to the numbers of those that were still ours. */
export async function putBack(
  database: Queries,
  consumer: number,
  settlements: readonly PutBack[],
): Promise<ReadonlySet<number>> {
  if (settlements.length === 0) return new Set();
  const row = await database.first<{ seqs: string | null }>(putBackSql, [
    consumer,
    ...parametersOf(settlements),
    ...resending(database),
  ]);
  return new Set((row?.seqs?.split(",") ?? []).map(Number));
}

function parametersOf(settlements: readonly PutBack[]): SqlValue[] {
  const texts = (of: (settlement: PutBack) => string | null): string => textArray(settlements.map(of));
  const numbers = (of: (settlement: PutBack) => number | null): string => numberArray(settlements.map(of));
  return [
    numbers(({ receipt }) => messageNumber(receipt)),
    numbers(({ outcome }) => Math.ceil(outcome.delayMs)),
    numbers(({ outcome }) => (outcome.to === "retrying" ? 1 : 0)),
    numbers(({ outcome }) => deliveriesStep(outcome)),
    numbers(({ attempt }) => (attempt?.counted === true ? 1 : 0)),
    texts(({ attempt }) => attempt?.ending ?? null),
    numbers(({ attempt }) => (attempt === null ? null : Math.floor(attempt.startedAt))),
    numbers(({ attempt }) => (attempt === null ? null : Math.floor(attempt.stoppedAt))),
    texts(({ attempt }) => attempt?.worker ?? null),
    texts(({ attempt }) => errorText(attempt?.error ?? null)),
  ];
}

function deliveriesStep(outcome: BackOutcome): number | null {
  if (outcome.to === "retrying") return null;
  return outcome.suspect ? 1 : -1;
}
