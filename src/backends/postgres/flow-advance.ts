import type { MemberOutcome } from "../../contracts/flows.js";
import type { FinalState, NewTask, Outcome } from "../../contracts/store.js";
import { attachResults } from "../../core/attached-results.js";
import { advanceFlow, faultOf, placesOf } from "../../core/flow.js";
import { memberOutcome } from "../../core/member-end.js";
import { errorText } from "../sql/error-text.js";
import { flowFrom, type FlowRow, type NumberedFlow } from "../sql/flow-row.js";
import { memberFrom } from "../sql/member-text.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { endFlows } from "./flow-end.js";
import { insertMembers } from "./flow-join.js";
import { asksBefore } from "./flow-move.js";
import { outcomesBetween } from "./flow-outcomes.js";
import { saveMoves, tasksOfChains, type PlaceRange } from "./flow-rows.js";
import { statement } from "./statement.js";
import { unsent } from "./unsent.js";

/** The end of a task that is a member of a flow. */
export interface EndedMember {
  /** As its column has it. */
  readonly member: string;
  readonly outcome: Extract<Outcome, { to: FinalState }>;
}

/** Locks the flows that are open, and keeps outcomes at places that have none. What ended after its chain was resumed without it has been replaced. */
const tellSql = statement(
  "tell-flows",
  `WITH told AS (
     SELECT * FROM ${rowsOf(2, "text", "int", "int", "text", "text", "text")} AS t (flow, place, run, state, result, error)),
   locked AS MATERIALIZED (
     SELECT * FROM {flow} f WHERE f.project = $1 AND f.id = ANY (ARRAY(SELECT flow FROM told)) AND f.state = 'open'
     ORDER BY f.id FOR NO KEY UPDATE),
   kept AS (
     INSERT INTO {flow_member} AS m (flow, place, run, state, result, error)
     SELECT l.seq, t.place, t.run, t.state, CASE WHEN l.kind <> 'batch' THEN t.result END, t.error
     FROM locked l JOIN told t ON t.flow = l.id
     ON CONFLICT (flow, place) DO UPDATE SET state = excluded.state, result = excluded.result, error = excluded.error
     WHERE m.state IS NULL AND m.run = excluded.run
     RETURNING flow, place)
   SELECT (SELECT json_agg(locked) FROM locked)::text AS flows,
     (SELECT json_agg(json_build_array(flow, place)) FROM kept)::text AS fresh`,
);

interface ToldRow {
  readonly flows: string | null;
  readonly fresh: string | null;
}

/** Tells flows how members have ended, in the transaction that stores it: after it has locked their messages. */
export async function tellFlows(inside: Queries, ended: readonly EndedMember[]): Promise<void> {
  if (ended.length === 0) return;
  const told = newestRuns(ended);
  const row = await inside.first<ToldRow>(tellSql, [
    textArray(told.map(({ flow }) => flow)),
    numberArray(told.map(({ place }) => place)),
    numberArray(told.map(({ run }) => run)),
    textArray(told.map(({ state }) => state)),
    textArray(told.map(({ result }) => result)),
    textArray(told.map(({ error }) => errorText(error))),
  ]);
  const fresh = new Set(
    (JSON.parse(row?.fresh ?? "[]") as [number, number][]).map(([seq, place]) => `${seq}.${place}`),
  );
  const flows = (JSON.parse(row?.flows ?? "[]") as FlowRow[]).map(flowFrom);
  await moveFlows(
    inside,
    flows.map((flow) => ({
      flow,
      fresh: told.filter((one) => one.flow === flow.id && fresh.has(`${flow.seq}.${one.place}`)),
    })),
  );
}

interface ToldOutcome extends MemberOutcome {
  readonly flow: string;
}

/** Each place once: one statement changes a row once, and only the newest run of a link can be the one that counts. */
function newestRuns(ended: readonly EndedMember[]): ToldOutcome[] {
  const told = new Map<string, ToldOutcome>();
  for (const { member, outcome } of ended) {
    const { flow, place, run } = memberFrom(member);
    const key = `${flow}.${place}`;
    if ((told.get(key)?.run ?? -1) < run) told.set(key, { flow, ...memberOutcome(place, run, outcome) });
  }
  return [...told.values()];
}

/** A flow that is open and locked, and outcomes of its members that are kept already, but not counted. */
interface Movable {
  readonly flow: NumberedFlow;
  readonly fresh: readonly MemberOutcome[];
}

/** Applies the rules. */
export async function moveFlows(inside: Queries, movables: readonly Movable[]): Promise<void> {
  const moves = movables.map(({ flow, fresh }) => {
    const { next, ...move } = advanceFlow(flow, fresh);
    return { flow: { ...flow, ...move }, next, hasChanged: fresh.length > 0 };
  });
  const changed = moves.filter(({ hasChanged }) => hasChanged).map(({ flow }) => flow);
  if (changed.length > 0) await saveMoves(inside, changed);
  await queueSteps(inside, those(moves, "step"));
  const ended = those(moves, "end");
  const first = await outcomesBetween(inside, ended.flatMap(firstFailure));
  const ends = ended.map((flow) => {
    const error = faultOf(flow, first.get(flow.seq)?.[0]);
    return { flow, state: error === null ? ("succeeded" as const) : ("failed" as const), error };
  });
  await endFlows(inside, ends);
}

function those<Next>(moves: readonly { flow: NumberedFlow; next: Next }[], which: Next): NumberedFlow[] {
  return moves.filter(({ next }) => next === which).map(({ flow }) => flow);
}

function firstFailure({ seq, failedAt }: NumberedFlow): PlaceRange[] {
  return failedAt === null ? [] : [{ flow: seq, from: failedAt, to: failedAt + 1 }];
}

/** Queues the members of the current steps, or `which` of them, each with what `previous()` stands for in it. */
export async function queueSteps(
  inside: Queries,
  flows: readonly NumberedFlow[],
  which: (task: NewTask) => boolean = () => true,
): Promise<void> {
  const queued = flows.filter((flow) => flow.queued);
  const rows = await tasksOfChains(
    inside,
    queued.map((flow) => rangeOf(flow, flow.step)),
  );
  const tasks = rows.filter(({ task }) => which(task)).map((row) => ({ ...row, asks: asksBefore(row.task) }));
  const asking = new Set(tasks.filter(({ asks }) => asks).map(({ flow }) => flow));
  const later = queued.filter(({ seq, step }) => step > 0 && asking.has(seq));
  const before = await outcomesBetween(
    inside,
    later.map((flow) => rangeOf(flow, flow.step - 1)),
  );
  await insertMembers(
    unsent(inside),
    tasks.map(({ flow, task, asks }) =>
      asks ? { ...task, envelope: attachResults(task.envelope, before.get(flow) ?? []) } : task,
    ),
  );
}

function rangeOf({ seq, steps }: NumberedFlow, step: number): PlaceRange {
  const [from, to] = placesOf(steps, step);
  return { flow: seq, from, to };
}
