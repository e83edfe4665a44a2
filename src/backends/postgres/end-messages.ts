import type { Receipt } from "../../contracts/broker.js";
import type { AttemptRecord, FinalState, Outcome } from "../../contracts/store.js";
import { errorText } from "../sql/error-text.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { tellFlows } from "./flow-advance.js";
import { forgetDetails, heldBy, messageNumber, nobody } from "./held-messages.js";
import { keepOutcomes } from "./schedule-runs.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

type FinalOutcome = Extract<Outcome, { to: FinalState }>;

/** A message that ends, and how. */
export interface EndedMessage {
  readonly receipt: Receipt;
  readonly attempt: AttemptRecord | null;
  readonly outcome: FinalOutcome;
}

/** Rows of a rollup that clusters share out among themselves. */
const parts = 16;

/** Nobody's is the first, and no consumer's: who ends waiting members of a flow adds to it after it has locked the flow, a consumer before. */
export const ownPart: string = `CASE WHEN $2::bigint = ${nobody} THEN 0 ELSE 1 + $2::bigint % ${parts - 1} END`;

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

/** Members of flows are left out where nobody would tell their flows. */
const inNoFlow = "AND m.member IS NULL";

const answer = `SELECT string_agg(seq::text, ',') AS seqs,
     json_agg(json_build_array(seq, member)) FILTER (WHERE member IS NOT NULL)::text AS members, {tell}($1, 2)::text AS told FROM gone`;

/**
 * The delete is the fence: what it does not return is not ours any more. The envelope moves inside the database. The
 * first ending stays, should a task be here twice.
 */
const endText = (which: string, part: string): string => `WITH gone AS (
     DELETE FROM {message} m
     USING ${rowsOf(3, "bigint", "text", "int", "int", "text", "bigint", "bigint", "text", "text", "text", "text")} WITH ORDINALITY
       AS f (seq, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result, place)
     WHERE m.seq = f.seq AND ${heldBy} ${which}
     RETURNING f.place, f.state, f.started, f.counted, f.ending, f.attempt_error, f.error, f.result, m.seq, m.id, m.queue,
       m.rank, m.attempts, m.starts, m.queued_at, m.due_at, m.func, m.name, m.grp, m.kind, m.parent, m.member, m.envelope,
       coalesce(f.started_at, m.started_at) AS started_at, coalesce(f.stopped_at, m.stopped_at) AS stopped_at,
       coalesce(f.worker, m.worker) AS worker, f.stopped_at - f.started_at AS ran_ms),
   stored AS (
     INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
       grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, member, envelope)
     SELECT $1, id, state, {now}, queue, -rank, attempts + counted, starts + started, queued_at, due_at, func, name,
       grp, kind, parent, ending, counted, started_at, coalesce(stopped_at, {now}), worker, attempt_error, error, result,
       member, envelope
     FROM gone ORDER BY place ON CONFLICT DO NOTHING), ${rollUp("gone", part)}
   ${answer}`;

/** For what leaves no record. */
const removeText = (which: string, part: string): string => `WITH gone AS (
     DELETE FROM {message} m USING ${rowsOf(3, "bigint", "bigint")} AS f (seq, ran_ms)
     WHERE m.seq = f.seq AND ${heldBy} ${which}
     RETURNING m.seq, m.id, m.queue, m.kind, m.parent, m.member, 'succeeded' AS state, f.ran_ms), ${keepOutcomes}, ${forgetDetails}, ${rollUp("gone", part)}
   ${answer}`;

const ending = {
  any: { kept: statement("end-any", endText("", ownPart)), unkept: statement("remove-any", removeText("", ownPart)) },
  inNoFlow: {
    kept: statement("end-messages", endText(inNoFlow, ownPart)),
    unkept: statement("remove-messages", removeText(inNoFlow, ownPart)),
  },
  inside: {
    kept: statement("end-inside", endText(inNoFlow, connectionPart)),
    unkept: statement("remove-inside", removeText(inNoFlow, connectionPart)),
  },
} as const;

/** The statement of {@link endPlain} for one success in a transaction of the application, with all its parameters. */
export function endingInside(
  project: number,
  owner: number,
  message: EndedMessage,
): { readonly sql: Statement; readonly parameters: readonly SqlValue[] } {
  const { kept, unkept } = ending.inside;
  const parameters = isKept(message) ? endParameters(owner, [message]) : removeParameters(owner, [message]);
  return { sql: isKept(message) ? kept : unkept, parameters: [project, ...parameters] };
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
  return (await end(database, ending.inNoFlow, owner, messages)).seqs;
}

/** The same with members of flows, which are told. Inside a transaction. */
export async function endMessages(
  inside: Queries,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number>> {
  const { seqs, members } = await end(inside, ending.any, owner, messages);
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

async function end(
  database: Queries,
  sql: (typeof ending)["any"],
  owner: number,
  messages: readonly EndedMessage[],
): Promise<Ended> {
  const kept = messages.filter(isKept);
  const unkept = messages.filter((message) => !isKept(message));
  const rows = [
    kept.length > 0 ? await database.first<EndedRow>(sql.kept, endParameters(owner, kept)) : undefined,
    unkept.length > 0 ? await database.first<EndedRow>(sql.unkept, removeParameters(owner, unkept)) : undefined,
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
