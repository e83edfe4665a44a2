import type { NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { advanceFlow } from "../../core/flow.js";
import { openedFlow } from "../sql/flow-row.js";
import { memberRange } from "../sql/member-text.js";
import { endEmptySteps } from "./flow-end.js";
import { addFlowSteps } from "./flow-rows.js";
import { insertMessagesSteps } from "./insert-messages.js";
import type { Moment } from "./project-file.js";

/** Opens a flow on a foreign transaction. */
export function* openFlowSteps(at: Moment, flow: NewFlow, members: readonly NewTask[]): SqlSteps<void> {
  const isChain = flow.kind === "chain";
  yield* addFlowSteps(at, flow, isChain ? members : []);
  const opened = openedFlow(flow, at.now);
  if (advanceFlow(opened, []).next === "end") return yield* endEmptySteps(at, opened);
  yield* insertMessagesSteps(at, isChain ? members.slice(0, flow.steps[0]) : members);
}

export function* addElementsSteps(
  at: Moment,
  id: string,
  elements: readonly NewTask[],
  size: number | null,
): SqlSteps<void> {
  yield* insertMessagesSteps(at, elements);
  if (size === null) return;
  yield {
    sql: "UPDATE qluster_flow SET steps = ? WHERE project = ? AND id = ? RETURNING seq",
    parameters: [JSON.stringify([size]), at.project, id],
  };
}

/** Nobody but the transaction that opened it has seen it. */
export function* dropFlowSteps({ project }: Moment, id: string): SqlSteps<void> {
  yield {
    sql: "DELETE FROM qluster_message WHERE project = ? AND member IS NOT NULL AND member >= ? AND member < ? RETURNING seq",
    parameters: [project, ...memberRange(id)],
  };
  yield { sql: "DELETE FROM qluster_flow WHERE project = ? AND id = ? RETURNING seq", parameters: [project, id] };
}
