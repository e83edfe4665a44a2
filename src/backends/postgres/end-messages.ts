import type { Receipt } from "../../contracts/broker.js";
import type { AttemptRecord, FinalState, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { tellFlows } from "./flow-advance.js";
import { messageNumber } from "./held-messages.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

type FinalOutcome = Extract<Outcome, { to: FinalState }>;

/** A message that ends, and how. */
export interface EndedMessage {
  readonly receipt: Receipt;
  readonly attempt: AttemptRecord | null;
  readonly outcome: FinalOutcome;
}

/** any · plain: no members of flows, as nobody would tell their flows · inside: the same in a transaction of the application. */
type Which = "any" | "plain" | "inside";

const keptSql = statement(
  "end-messages",
  `SELECT seqs, members FROM {end_messages}($1::int, {now}, $2::bigint, $3::text, $4::bigint[], $5::text[], $6::int[],
     $7::int[], $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[])`,
);

/** For what leaves no record. */
const unkeptSql = statement(
  "remove-messages",
  "SELECT seqs, members FROM {remove_messages}($1::int, {now}, $2::bigint, $3::text, $4::bigint[], $5::bigint[])",
);

/** The statement of {@link endPlain} for one success in a transaction of the application, with all its parameters. */
export function endingInside(
  project: number,
  owner: number,
  message: EndedMessage,
): { readonly sql: Statement; readonly parameters: readonly SqlValue[] } {
  const parameters = isKept(message) ? endParameters([message]) : removeParameters([message]);
  return { sql: isKept(message) ? keptSql : unkeptSql, parameters: [project, owner, "inside", ...parameters] };
}

/**
 * Moves messages that `owner` holds to the finished tasks, but members of flows. Resolves to the numbers of those that
 * were still its own.
 */
export async function endPlain(
  database: Queries,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number>> {
  return (await end(database, "plain", owner, messages)).seqs;
}

/** The same with members of flows, which are told. Inside a transaction. */
export async function endMessages(
  inside: Queries,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number>> {
  const { seqs, members } = await end(inside, "any", owner, messages);
  if (members.size === 0) return seqs;
  const ended = messages.flatMap(({ receipt, outcome }) => {
    const member = members.get(messageNumber(receipt));
    return member === undefined ? [] : [{ member, outcome }];
  });
  await tellFlows(inside, ended);
  return seqs;
}

interface Ended {
  readonly seqs: ReadonlySet<number>;
  /** Where the members of flows among them stand, by their number. */
  readonly members: ReadonlyMap<number, string>;
}

async function end(database: Queries, which: Which, owner: number, messages: readonly EndedMessage[]): Promise<Ended> {
  const kept = messages.filter(isKept);
  const unkept = messages.filter((message) => !isKept(message));
  const rows = [
    kept.length > 0 ? await database.first<EndedRow>(keptSql, [owner, which, ...endParameters(kept)]) : undefined,
    unkept.length > 0
      ? await database.first<EndedRow>(unkeptSql, [owner, which, ...removeParameters(unkept)])
      : undefined,
  ];
  const seqs = rows.flatMap((row) => row?.seqs?.split(",").map(Number) ?? []);
  const members = rows.flatMap((row) => JSON.parse(row?.members ?? "[]") as [number, string][]);
  return { seqs: new Set(seqs), members: new Map(members) };
}

interface EndedRow {
  readonly seqs: string | null;
  readonly members: string | null;
}

function isKept({ outcome }: EndedMessage): boolean {
  return outcome.to !== "succeeded" || outcome.keep;
}

function endParameters(messages: readonly EndedMessage[]): SqlValue[] {
  const texts = (of: (message: EndedMessage) => string | null): string => textArray(messages.map(of));
  const numbers = (of: (message: EndedMessage) => number | null): string => numberArray(messages.map(of));
  return [
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

function removeParameters(messages: readonly EndedMessage[]): SqlValue[] {
  return [
    numberArray(messages.map(({ receipt }) => messageNumber(receipt))),
    numberArray(
      messages.map(({ attempt }) => (attempt === null ? 0 : Math.floor(attempt.stoppedAt - attempt.startedAt))),
    ),
  ];
}
