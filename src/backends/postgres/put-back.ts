import type { Outcome, Settlement } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { messageNumber, resending } from "./held-messages.js";
import { statement, type SqlValue } from "./statement.js";

type BackOutcome = Extract<Outcome, { to: "retrying" | "queued" }>;

/** A settlement that puts its message back into the queue. */
export type PutBack = Settlement & { readonly outcome: BackOutcome };

export function isPutBack(settlement: Settlement): settlement is PutBack {
  return settlement.outcome.to === "retrying" || settlement.outcome.to === "queued";
}

const putBackSql = statement(
  "put-back",
  `SELECT {put_back}($1, {now}, $2, $3::bigint[], $4::bigint[], $5::int[], $6::int[], $7::int[], $8::text[], $9::bigint[],
     $10::bigint[], $11::text[], $12::text[], $13, $14) AS seqs`,
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
