import type { AttemptRecord, CancelAnswer, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { insertUnknownMessage } from "./insert-messages.js";
import { insertEnded, nobody, type FinalOutcome } from "./insert-ended.js";
import { forgetDetails } from "./held-messages.js";
import type { Session } from "./project-file.js";
import { giveOrder } from "./store-clusters.js";
import { rollUp } from "./rollup.js";
import { submitInside } from "./store-submit.js";

interface WaitingRow {
  readonly seq: number;
  readonly owner: number | null;
  readonly queue: string;
  readonly kind: NewTask["kind"];
}

/** Ends a waiting task, or leaves an order for the cluster that holds it. */
export function cancelTask(session: Session, id: string, followUps: readonly NewTask[] = []): CancelAnswer {
  const message = messageById(session, id);
  if (message === undefined) return isFinished(session, id) ? "finished" : "unknown";
  if (message.owner !== null && message.owner !== nobody) {
    tellHolder(session, message.owner, id);
    return "requested";
  }
  endWaiting(session, id, null, { to: "cancelled", error: cancelledWhileWaiting });
  if (followUps.length > 0) submitInside(session, followUps);
  return "cancelled";
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. */
export function saveFinishedTask(session: Session, task: NewTask, settlement: Omit<Settlement, "receipt">): void {
  const { attempt, outcome, followUps } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued") return;
  // It passes through the queue inside this transaction, so that there is one way to end a task.
  if (!insertUnknownMessage(session, { ...task, delayMs: 0, dueAt: null, unique: null })) return;
  endWaiting(session, task.id, attempt, outcome);
  if (followUps.length > 0) submitInside(session, followUps);
}

function endWaiting(session: Session, id: string, attempt: AttemptRecord | null, outcome: FinalOutcome): void {
  const message = messageById(session, id);
  if (message === undefined) return;
  const { seq, queue, kind } = message;
  if (outcome.to !== "succeeded" || outcome.keep) insertEnded(session, nobody, [{ seq, id, attempt, outcome }]);
  else forgetDetails(session, id);
  session.run("DELETE FROM qluster_message WHERE seq = ?", [seq]);
  const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
  rollUp(session, [{ queue, kind, state: outcome.to, ranMs }]);
}

function messageById(session: Session, id: string): WaitingRow | undefined {
  return session.first<WaitingRow>("SELECT seq, owner, queue, kind FROM qluster_message WHERE project = ? AND id = ?", [
    session.project,
    id,
  ]);
}

function isFinished(session: Session, id: string): boolean {
  const sql = "SELECT 1 FROM qluster_task WHERE project = ? AND id = ?";
  return session.first(sql, [session.project, id]) !== undefined;
}

function tellHolder(session: Session, consumer: number, id: string): void {
  const row = session.first<{ cluster: string }>("SELECT cluster FROM qluster_consumer WHERE seq = ?", [consumer]);
  if (row !== undefined) giveOrder(session, row.cluster, { order: "cancel", id });
}
