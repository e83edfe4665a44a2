import type { MemberOutcome } from "../../contracts/flows.js";
import { carriesResults, flowHooks, parentOfFlow, type FlowEnd } from "../../core/flow-end.js";
import { errorText } from "../sql/error-text.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { readOutcomes } from "./flow-outcomes.js";
import { statement, type SqlValue, type Statement } from "./statement.js";
import { submitUnsent } from "./submit.js";

/** A flow, as its outcomes have left it, and how it ended. */
export interface EndedFlow extends Pick<FlowEnd, "state" | "error"> {
  readonly flow: NumberedFlow;
}

const endSql = statement(
  "end-flows",
  `WITH ended AS (
     UPDATE {flow} f SET state = t.state, error = t.error, ended_at = {now}
     FROM ${rowsOf(2, "bigint", "text", "text", "text")} AS t (seq, state, error, parent)
     WHERE f.seq = t.seq AND f.project = $1 RETURNING f.*, t.parent),
   stored AS (
     INSERT INTO {task} (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
       grp, kind, parent, counted, started_at, stopped_at, error, envelope)
     SELECT $1, id, state, {now}, queue, 0, 0, 0, opened_at, opened_at, func, name, grp, kind, parent, 0, opened_at, {now},
       error, envelope
     FROM ended ORDER BY seq ON CONFLICT DO NOTHING)
   SELECT {now} AS now, {tell}($1, 2)::text AS told`,
);

/** Ends flows that are open and locked: their state, their records, and the tasks that are called then. */
export async function endFlows(inside: Queries, ends: readonly EndedFlow[]): Promise<void> {
  if (ends.length === 0) return;
  const row = await inside.first<{ now: number }>(...endingFlows(ends));
  const at = row?.now ?? 0;
  const hooks = await Promise.all(
    ends.map(async ({ flow, state, error }) => {
      if (!flow.queued) return [];
      const members = await carried(inside, flow, state);
      return flowHooks(flow, { state, error, at, members: () => members });
    }),
  );
  await submitUnsent(inside, hooks.flat());
}

/** The statement that ends flows, with its parameters after the project. */
export function endingFlows(
  ends: readonly (Pick<FlowEnd, "state" | "error"> & { readonly flow: Pick<NumberedFlow, "seq" | "envelope"> })[],
): readonly [Statement, readonly SqlValue[]] {
  const parameters = [
    numberArray(ends.map(({ flow }) => flow.seq)),
    textArray(ends.map(({ state }) => state)),
    textArray(ends.map(({ error }) => errorText(error))),
    textArray(ends.map(({ flow }) => parentOfFlow(flow))),
  ];
  return [endSql, parameters];
}

/** What the tasks that are called then get to see. */
async function carried(
  inside: Queries,
  flow: NumberedFlow,
  state: FlowEnd["state"],
): Promise<readonly MemberOutcome[] | null> {
  if (flow.kind === "batch" || !carriesResults(flow, state)) return [];
  const { outcomes, isAll } = await readOutcomes(inside, flow.id, 0, flow.carryBytes);
  return isAll ? outcomes : null;
}
