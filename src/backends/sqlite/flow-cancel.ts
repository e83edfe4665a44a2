import type { FinalState } from "../../contracts/store.js";
import { cancelledWhileWaiting, hooksOfCancelled } from "../../core/cancelled-task.js";
import { lateness } from "../../core/flow.js";
import { flowFrom, type FlowRow, type NumberedFlow } from "../sql/flow-row.js";
import { memberRange } from "../sql/member-text.js";
import { endWaiting, type WaitingRow } from "./end-waiting.js";
import { endFlow } from "./flow-end.js";
import { detailTables } from "./held-messages.js";
import { nobody, type FinalOutcome } from "./insert-ended.js";
import type { Session } from "./project-file.js";
import { tasksById } from "./store-read.js";
import { submitUnsent } from "./submit-unsent.js";
import { tellHolder } from "./tell-holder.js";

/** Flows that one call ends. The rest is for the next one. */
const mostAtOnce = 100;

/** Ends an open flow, with every member that waits; the clusters that run others are told. */
export function cancelFlow(session: Session, flow: NumberedFlow): void {
  const error = { ...cancelledWhileWaiting, message: `The ${words[flow.kind]} was cancelled.` };
  endFlow(session, flow, { state: "cancelled", error });
  endMembers(session, flow, { to: "cancelled", error });
}

const words = { chain: "chain", iter: "iterable", batch: "batch" } as const;

const overdue = `
  SELECT * FROM qluster_flow INDEXED BY qluster_flow_expiry
  WHERE project = ? AND state = 'open' AND expires_at IS NOT NULL AND expires_at <= ? LIMIT ${mostAtOnce}`;

/** A look that takes no lock. */
export function isAnyOverdue(session: Session): boolean {
  return session.first(overdue, [session.project, session.now]) !== undefined;
}

/** Ends flows whose time is up, as failed. */
export function expireFlows(session: Session): void {
  const flows = session.all<FlowRow>(overdue, [session.project, session.now]).map(flowFrom);
  for (const flow of flows) {
    const error = lateness(flow);
    endFlow(session, flow, { state: "failed", error });
    endMembers(session, flow, { to: "expired", error });
  }
}

/** The flow has ended before: its members change nothing of it any more. */
function endMembers(session: Session, flow: NumberedFlow, outcome: FinalOutcome & { readonly to: FinalState }): void {
  // Elements leave no record but of a failure of their own, and there may be a million.
  if (flow.kind === "iter") removeWaiting(session, flow.id);
  for (const message of messagesOf(session, flow.id)) {
    if (message.owner !== null && message.owner !== nobody) tellHolder(session, message.owner, message.id);
    else endMember(session, message, outcome);
  }
}

function endMember(session: Session, message: WaitingRow, outcome: FinalOutcome): void {
  const [task] = tasksById(session, [message.id]);
  endWaiting(session, message, null, outcome);
  const hooks = task === undefined || !("error" in outcome) ? [] : hooksOfCancelled(task, session.now, outcome.error);
  if (hooks.length > 0) submitUnsent(session, hooks);
}

function messagesOf(session: Session, flow: string): WaitingRow[] {
  return session.all<WaitingRow>(
    `SELECT seq, id, owner, queue, kind, member FROM qluster_message INDEXED BY qluster_message_member
     WHERE project = ? AND member IS NOT NULL AND member >= ? AND member < ?`,
    [session.project, ...memberRange(flow)],
  );
}

const waiting = `
  FROM qluster_message INDEXED BY qluster_message_member
  WHERE project = ?1 AND member IS NOT NULL AND member >= ?2 AND member < ?3 AND coalesce(owner, ${nobody}) = ${nobody}`;

function removeWaiting(session: Session, flow: string): void {
  const which = [session.project, ...memberRange(flow)];
  for (const table of detailTables) {
    session.run(`DELETE FROM ${table} WHERE project = ?1 AND id IN (SELECT id ${waiting})`, which);
  }
  session.run(`DELETE FROM qluster_message WHERE seq IN (SELECT seq ${waiting})`, which);
}
