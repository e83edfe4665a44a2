import type { NewTask, Settlement } from "../../contracts/store.js";
import { memberOutcome } from "../../core/member-end.js";
import { errorText } from "../sql/error-text.js";
import { flowFrom, type FlowRow } from "../sql/flow-row.js";
import { memberText } from "../sql/member-text.js";
import { numberArray, textArray } from "./array-literal.js";
import type { EndedMessage } from "./end-messages.js";
import { onlyPlace, prepareMove, type FlowMove } from "./flow-move.js";
import { messageNumber } from "./held-messages.js";
import { newTaskColumns } from "./new-task-columns.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement, type SqlValue } from "./statement.js";

/** An ending that has nothing of its own that follows. */
export type MemberEnd = Settlement & EndedMessage;

const finishSql = statement(
  "finish-members",
  `SELECT seqs, lacking, ahead FROM {finish_members}($1, {now}, $2, $3::bigint[], $4::boolean[], $5::text[], $6::int[],
     $7::int[], $8::text[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::json,
     $16::bigint[], $17::text[], $18::text[], $19::int[], $20::bigint[], $21::bigint[], $22::bigint[], $23::text[], $24::text[],
     $25::text[], $26::text[], $27::text[], $28::text[], $29::text[], $30, $31)`,
);

interface FinishedRow {
  readonly seqs: string | null;
  readonly lacking: string | null;
  readonly ahead: string | null;
}

/** A flow in which something follows, as the server says it when nobody has prepared it. */
interface Lacking {
  readonly flow: FlowRow;
  readonly fresh: readonly (readonly [seq: number, place: number, run: number])[] | null;
  readonly tasks: readonly string[] | null;
}

/** What was stored. */
interface FinishedMembers {
  readonly seqs: ReadonlySet<number>;
  /** Something was queued. */
  readonly moved: boolean;
}

/**
 * Ends messages, members of flows among them, in one statement: their flows are told, and of a chain the next step is
 * queued. What follows is prepared before, by the common rules, from what was remembered of the chain; else from what the
 * server says that it lacks, and then there is a second call.
 *
 * @returns `undefined`: more has to be known, or a flow ends. Nothing was stored.
 */
export async function finishMembers(
  database: ProjectDatabase,
  owner: number,
  ends: readonly MemberEnd[],
): Promise<FinishedMembers | undefined> {
  let moves = ends.flatMap((end) => foreseen(database, end) ?? []);
  for (let tries = 0; tries < 2; tries++) {
    const row = await database.first<FinishedRow>(finishSql, [
      owner,
      ...endColumns(ends),
      ...moveColumns(database, moves),
    ]);
    if (typeof row?.lacking !== "string") {
      remember(database, moves, row?.ahead ?? null);
      return { seqs: new Set(row?.seqs?.split(",").map(Number) ?? []), moved: moves.length > 0 };
    }
    const prepared = (JSON.parse(row.lacking) as Lacking[]).map((lacking) => preparedFor(lacking, ends));
    const known = prepared.filter((move) => move !== undefined);
    if (known.length < prepared.length) return undefined;
    const isAgain = new Set(known.map(({ from }) => from.seq));
    moves = [...moves.filter(({ from }) => !isAgain.has(from.seq)), ...known];
  }
  return undefined;
}

function preparedFor({ flow, fresh, tasks }: Lacking, ends: readonly MemberEnd[]): FlowMove | undefined {
  const outcomes = (fresh ?? []).flatMap(([seq, place, run]) => {
    const end = ends.find(({ receipt }) => messageNumber(receipt) === seq);
    return end === undefined ? [] : [memberOutcome(place, run, end.outcome)];
  });
  const next = (tasks ?? []).map((task) => JSON.parse(task) as NewTask);
  return prepareMove(flowFrom(flow), outcomes, next);
}

/** What follows the only link of a step, if this process has queued that link. */
function foreseen({ ahead }: ProjectDatabase, { id, outcome }: MemberEnd): FlowMove | undefined {
  const next = ahead.recall(id, outcome);
  return next && prepareMove(next.flow, [next.outcome], [next.task]);
}

/** Chains whose next link is the only one of its step, and the one after it too. */
function remember({ ahead }: ProjectDatabase, moves: readonly FlowMove[], answer: string | null): void {
  if (answer === null) return;
  const tasks = new Map(JSON.parse(answer) as [flow: number, task: string][]);
  for (const { to, tasks: queued } of moves) {
    const task = tasks.get(to.seq);
    const [link] = queued;
    if (task !== undefined && link !== undefined) ahead.remember(to, link, JSON.parse(task) as NewTask);
  }
}

function endColumns(ends: readonly MemberEnd[]): SqlValue[] {
  const texts = (of: (end: MemberEnd) => string | null): string => textArray(ends.map(of));
  const numbers = (of: (end: MemberEnd) => number | null): string => numberArray(ends.map(of));
  return [
    numbers(({ receipt }) => messageNumber(receipt)),
    texts(({ outcome }) => (outcome.to !== "succeeded" || outcome.keep ? "t" : "f")),
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

function moveColumns({ outbox }: ProjectDatabase, moves: readonly FlowMove[]): SqlValue[] {
  const tasks = moves.flatMap((move) => move.tasks);
  const flows = moves.flatMap(({ to, tasks: own }) => own.map(() => to.seq));
  const columns = newTaskColumns(tasks);
  // Members have no unique key.
  const [envelopes = "{}"] = columns.splice(11).slice(-1);
  const members = textArray(tasks.map(({ member }) => memberText(member)));
  // Nobody knows of what is queued here: with a broker elsewhere others send it, at once.
  const sending = outbox === null ? [null, null] : [0, outbox.aheadMs];
  return [
    moves.length === 0 ? null : JSON.stringify(moves.map(moveRow)),
    numberArray(flows),
    ...columns,
    envelopes,
    members,
    ...sending,
  ];
}

function moveRow({ from, to }: FlowMove): Record<string, number | null> {
  const { seq: flow, run, step, done, failed } = to;
  const isAlone = onlyPlace(to, step) !== undefined;
  return { flow, run, since: from.step, step, done, failed, ahead: isAlone ? (onlyPlace(to, step + 1) ?? null) : null };
}
