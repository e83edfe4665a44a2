import type { NewFlow } from "../../contracts/flows.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import type { NewTask } from "../../contracts/store.js";
import type { SqlStatement, SqlSteps } from "../../contracts/transaction.js";
import { flowHooks } from "../../core/flow-end.js";
import { advanceFlow } from "../../core/flow.js";
import { openedFlow } from "../sql/flow-row.js";
import { memberRange } from "../sql/member-text.js";
import { endingFlows } from "./flow-end.js";
import { insertingMembers } from "./flow-join.js";
import { addingFlow, addingPlaces, placesOfChain } from "./flow-rows.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

/** What flows need on a transaction of the application. */
export interface FlowSteps {
  readonly outbox: OutboxOptions | null;
  /** A statement of ours as one of the application's, with its parameters after the project. */
  readonly inline: (sql: Statement, parameters: readonly SqlValue[]) => SqlStatement;
  /** Queues tasks that are no members. */
  readonly submit: (tasks: readonly NewTask[]) => SqlSteps<unknown>;
}

export function* openFlowSteps(host: FlowSteps, flow: NewFlow, members: readonly NewTask[]): SqlSteps<void> {
  const [row] = yield host.inline(...addingFlow(flow));
  const seq = Number(row?.["seq"]);
  const opened = openedFlow(flow, Number(row?.["opened"]));
  if (advanceFlow(opened, []).next === "end") {
    const end = { state: "succeeded", error: null } as const;
    const [ended] = yield host.inline(...endingFlows([{ flow: { ...flow, seq }, ...end }]));
    return yield* drained(host.submit(flowHooks(opened, { ...end, at: Number(ended?.["now"]), members: () => [] })));
  }
  if (flow.kind === "chain") yield host.inline(...addingPlaces(placesOfChain(seq, members)));
  yield* queue(host, flow.kind === "chain" ? members.slice(0, flow.steps[0]) : members);
}

const closeSql = statement("close-new-flow", "UPDATE {flow} SET steps = $3::text WHERE project = $1 AND id = $2::text");

export function* addElementsSteps(
  host: FlowSteps,
  id: string,
  elements: readonly NewTask[],
  size: number | null,
): SqlSteps<void> {
  if (elements.length > 0) yield* queue(host, elements);
  if (size !== null) yield host.inline(closeSql, [id, JSON.stringify([size])]);
}

const dropSql = statement(
  "drop-new-flow",
  `WITH gone AS (DELETE FROM {flow} WHERE project = $1 AND id = $2::text)
   DELETE FROM {message} m WHERE m.project = $1 AND m.member IS NOT NULL AND m.member >= $3::text AND m.member < $4::text`,
);

/** Nobody but the transaction that opened it has seen it. */
export function* dropFlowSteps(host: FlowSteps, id: string): SqlSteps<void> {
  yield host.inline(dropSql, [id, ...memberRange(id)]);
}

/** Who writes on a foreign transaction cannot send: everybody may, from the commit on. */
function* queue({ outbox, inline }: FlowSteps, members: readonly NewTask[]): SqlSteps<void> {
  const unsent = { outbox: outbox === null ? null : { ...outbox, handMs: 0 } };
  yield inline(...insertingMembers(members, unsent));
}

function* drained(steps: SqlSteps<unknown>): SqlSteps<void> {
  yield* steps;
}
