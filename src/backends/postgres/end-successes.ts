import type { AttemptRecord } from "../../contracts/store.js";
import { numberArray, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { type EndedMessage, ownPart } from "./end-messages.js";
import { heldBy, messageNumber } from "./held-messages.js";
import { joinedArray, joinedTexts } from "./joined-texts.js";
import { isDuplicate } from "./postgres-error.js";
import { statement, type SqlValue } from "./statement.js";

/** The end of a task that ran once more and succeeded, and is kept. */
type Success = EndedMessage & {
  readonly attempt: AttemptRecord;
  readonly outcome: Extract<EndedMessage["outcome"], { to: "succeeded" }>;
};

/**
 * What {@link endPlain} writes for these, with less to send and to work out: times from one of them on, each worker's name
 * once, and nothing that is the same for all. A task that is finished already is an error here, as passing over it costs each
 * row a fourth of the time.
 */
const endSql = statement(
  "end-successes",
  `WITH gone AS (
     DELETE FROM {message} m
     USING unnest((SELECT $3::bigint[]), (SELECT $4::bigint[]), (SELECT $5::bigint[]), (SELECT $6::int[]), (SELECT ${joinedArray(7)}))
       WITH ORDINALITY AS f (seq, started, stopped, worker, result, place)
     WHERE m.seq = f.seq AND ${heldBy} AND m.member IS NULL
     RETURNING f.place, $8::bigint + f.started AS started_at, $8::bigint + f.stopped AS stopped_at,
       ($9::text[])[f.worker] AS worker, f.result, m.seq, m.id, m.queue, m.rank, m.attempts, m.starts, m.queued_at, m.due_at,
       m.func, m.name, m.grp, m.kind, m.parent, m.envelope),
   stored AS (
     INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
       grp, kind, parent, ending, counted, started_at, stopped_at, worker, result, envelope)
     SELECT $1, id, 'succeeded', {now}, queue, -rank, attempts + 1, starts + 1, queued_at, due_at, func, name,
       grp, kind, parent, 'succeeded', 1, started_at, stopped_at, worker, result, envelope
     FROM gone ORDER BY place),
   counted AS (
     INSERT INTO {rollup} AS r (project, minute, queue, part, succeeded, failed, busy_ms)
     SELECT $1, {now} / 60000 * 60000, queue, ${ownPart}, count(*), 0, sum(greatest(0, stopped_at - started_at))
     FROM gone WHERE kind = 'task' GROUP BY queue
     ON CONFLICT (project, minute, queue, part) DO UPDATE SET succeeded = r.succeeded + excluded.succeeded,
       busy_ms = r.busy_ms + excluded.busy_ms)
   SELECT string_agg(seq::text, ',') AS seqs, {tell}($1, 2)::text AS told FROM gone`,
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
