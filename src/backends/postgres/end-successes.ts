import type { AttemptRecord } from "../../contracts/store.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import type { EndedMessage } from "./end-messages.js";
import { messageNumber } from "./held-messages.js";
import { joinedArray, joinedTexts } from "./joined-texts.js";
import { isDuplicate } from "./postgres-error.js";
import { statement, type SqlValue } from "./statement.js";

/** The end of a task that ran once more and succeeded, and is kept. */
type Success = EndedMessage & {
  readonly attempt: AttemptRecord;
  readonly outcome: Extract<EndedMessage["outcome"], { to: "succeeded" }>;
};

const endSql = statement(
  "end-successes",
  `SELECT {end_successes}($1, {now}, $2, $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], ${joinedArray(7)}, $8,
     $9::text[]) AS seqs`,
);

/**
 * Moves messages that `owner` holds to the finished tasks, if all of them ended as nearly all do: a success of one counted
 * attempt, that is kept, and has nothing that follows. Members of flows are left out. Resolves to the numbers of those that were
 * still its own; to `undefined` when {@link endPlain} has to do it, and nothing was stored. Not inside a transaction, which an
 * error would end.
 */
export async function endSuccesses(
  database: Queries,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number> | undefined> {
  const parameters = messages.every(isSuccess) ? parametersOf(messages) : undefined;
  if (parameters === undefined) return undefined;
  try {
    const row = await database.first<{ seqs: string | null }>(endSql, [owner, ...parameters]);
    return new Set(row?.seqs?.split(",").map(Number));
  } catch (error) {
    if (isDuplicate(error)) return undefined;
    throw error;
  }
}

function isSuccess(message: EndedMessage): message is Success {
  const { attempt, outcome } = message;
  if (outcome.to !== "succeeded" || !outcome.keep || attempt === null) return false;
  return attempt.ending === "succeeded" && attempt.counted && attempt.error === null;
}

function parametersOf(messages: readonly Success[]): SqlValue[] | undefined {
  const results = joinedTexts(messages.map(({ outcome }) => outcome.result));
  if (results === undefined) return undefined;
  const workers = new Map<string, number>();
  for (const { attempt } of messages) {
    if (!workers.has(attempt.worker)) workers.set(attempt.worker, workers.size + 1);
  }
  const start = Math.floor(messages[0]?.attempt.startedAt ?? 0);
  return [
    numberArray(messages.map(({ receipt }) => messageNumber(receipt))),
    numberArray(messages.map(({ attempt }) => Math.floor(attempt.startedAt) - start)),
    numberArray(messages.map(({ attempt }) => Math.floor(attempt.stoppedAt) - start)),
    numberArray(messages.map(({ attempt }) => workers.get(attempt.worker) ?? null)),
    results,
    start,
    textArray([...workers.keys()]),
  ];
}
