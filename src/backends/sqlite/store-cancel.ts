import type { CancelAnswer, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../sql/endings.js";
import { insertUnknownMessage } from "./insert-messages.js";
import { insertEndedWaiting } from "./insert-task.js";
import { forgetAttempts } from "./held-messages.js";
import type { Session } from "./project-file.js";
import { giveOrder } from "./store-clusters.js";
import { rollUp } from "./store-finish.js";
import { submitInside } from "./store-submit.js";

interface WaitingRow {
  readonly owner: number | null;
  readonly queue: string;
  readonly kind: NewTask["kind"];
  readonly starts: number;
}

const selectMessage = "SELECT owner, queue, kind, starts FROM qluster_message WHERE project = ? AND id = ?";

/** Ends a waiting task, or leaves an order for the cluster that holds it. */
export function cancelTask(session: Session, id: string): CancelAnswer {
  const message = session.first<WaitingRow>(selectMessage, [session.project, id]);
  if (message === undefined) {
    const known = session.first("SELECT 1 FROM qluster_task WHERE project = ? AND id = ?", [session.project, id]);
    return known === undefined ? "unknown" : "finished";
  }
  if (message.owner !== null && message.owner > 0) {
    tellHolder(session, message.owner, id);
    return "requested";
  }
  endWaiting(session, id, message, null, { to: "cancelled", error: cancelledWhileWaiting });
  return "cancelled";
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. */
export function saveFinishedTask(session: Session, task: NewTask, settlement: Omit<Settlement, "receipt">): void {
  const { attempt, outcome, followUps } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued") return;
  // It passes through the queue inside this transaction, so that there is one way to end a task.
  if (!insertUnknownMessage(session, { ...task, delayMs: 0, dueAt: null, unique: null })) return;
  endWaiting(session, task.id, { ...task, starts: 0 }, attempt, outcome);
  if (followUps.length > 0) submitInside(session, followUps);
}

function endWaiting(
  session: Session,
  id: string,
  message: Pick<WaitingRow, "queue" | "kind" | "starts">,
  attempt: Settlement["attempt"],
  outcome: Parameters<typeof insertEndedWaiting>[3],
): void {
  const isKept = outcome.to !== "succeeded" || outcome.keep;
  if (isKept) insertEndedWaiting(session, id, attempt, outcome);
  else if (message.starts > 0) forgetAttempts(session, id);
  session.run("DELETE FROM qluster_message WHERE project = ? AND id = ?", [session.project, id]);
  const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
  rollUp(session, [{ queue: message.queue, kind: message.kind, state: outcome.to, ranMs }]);
}

function tellHolder(session: Session, consumer: number, id: string): void {
  const row = session.first<{ cluster: string }>("SELECT cluster FROM qluster_consumer WHERE seq = ?", [consumer]);
  if (row !== undefined) giveOrder(session, row.cluster, { order: "cancel", id });
}
