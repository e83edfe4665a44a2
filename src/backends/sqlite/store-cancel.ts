import type { CancelAnswer, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { endWaiting, messageById } from "./end-waiting.js";
import { cancelFlow } from "./flow-cancel.js";
import { admitMembers } from "./flow-join.js";
import { flowById } from "./flow-rows.js";
import { nobody } from "./insert-ended.js";
import { insertUnknownMessages } from "./insert-messages.js";
import type { Session } from "./project-file.js";
import { submitInside } from "./store-submit.js";
import { tellHolder } from "./tell-holder.js";

/** Ends a waiting task, or leaves an order for the cluster that holds it. */
export function cancelTask(session: Session, id: string, followUps: readonly NewTask[] = []): CancelAnswer {
  const message = messageById(session, id);
  if (message === undefined) return cancelOther(session, id);
  if (message.owner !== null && message.owner !== nobody) {
    tellHolder(session, message.owner, id);
    return "requested";
  }
  endWaiting(session, message, null, { to: "cancelled", error: cancelledWhileWaiting });
  if (followUps.length > 0) submitInside(session, followUps);
  return "cancelled";
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. */
export function saveFinishedTask(session: Session, task: NewTask, settlement: Omit<Settlement, "receipt">): void {
  const { attempt, outcome, followUps } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued") return;
  // It passes through the queue inside this transaction, so that there is one way to end a task.
  const [admitted] = admitMembers(session, [{ ...task, delayMs: 0, dueAt: null, unique: null }]);
  if (admitted === undefined || insertUnknownMessages(session, [admitted]) === 0) return;
  const message = messageById(session, task.id);
  if (message !== undefined) endWaiting(session, message, attempt, outcome);
  if (followUps.length > 0) submitInside(session, followUps);
}

/** What is no message: a flow, a finished task, or nothing that is known. */
function cancelOther(session: Session, id: string): CancelAnswer {
  if (isFinished(session, id)) return "finished";
  const flow = flowById(session, id);
  if (flow?.state !== "open") return "unknown";
  cancelFlow(session, flow);
  return "cancelled";
}

function isFinished(session: Session, id: string): boolean {
  const sql = "SELECT 1 FROM qluster_task WHERE project = ? AND id = ?";
  return session.first(sql, [session.project, id]) !== undefined;
}
