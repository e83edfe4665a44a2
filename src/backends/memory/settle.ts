import type { FinalState, NewTask, Outcome, Settlement, StoredTask } from "../../contracts/store.js";
import { admitMembers } from "./flow-join.js";
import { tellFlow } from "./flow-advance.js";
import { giveBack, recordAttempt } from "./leases.js";
import { leaveLine } from "./line.js";
import { rollUp } from "./rollups.js";
import { keepOutcome } from "./schedules.js";
import type { Message, ProjectState } from "./state.js";
import { isKnown, newMessage, submitTask } from "./submit.js";
import { storedTask } from "./task-states.js";
import { freeKey } from "./unique-keys.js";

/** Ends a delivery, if `consumer` still holds the message. */
export function settle(state: ProjectState, consumer: string, settlement: Settlement, now: number): boolean {
  const message = state.messages.get(settlement.id);
  if (message === undefined || message.holder !== consumer || message.seq !== settlement.receipt) return false;
  applySettlement(state, message, settlement, now);
  return true;
}

/** Stores a task that has run outside of any cluster. A known id changes nothing. */
export function saveFinishedTask(
  state: ProjectState,
  task: NewTask,
  settlement: Omit<Settlement, "receipt">,
  now: number,
): void {
  const [admitted] = isKnown(state, task.id) ? [] : admitMembers(state, [task]);
  if (admitted === undefined) return;
  const message = newMessage(state, admitted, now);
  state.messages.set(task.id, message);
  applySettlement(state, message, settlement, now);
}

/** Removes an unfinished task without a trace. Always `true`, for answers. */
export function forget(state: ProjectState, message: Message): true {
  remove(state, message);
  state.attempts.delete(message.id);
  state.notes.delete(message.id);
  return true;
}

function applySettlement(
  state: ProjectState,
  message: Message,
  settlement: Omit<Settlement, "receipt">,
  now: number,
): void {
  const { attempt, outcome, followUps } = settlement;
  if (attempt !== null) recordAttempt(state, message, attempt);
  if (outcome.to === "retrying" || outcome.to === "queued") again(state, message, outcome, now);
  else endMessage(state, message, outcome, now);
  for (const task of followUps) submitTask(state, task, now);
}

function again(
  state: ProjectState,
  message: Message,
  outcome: Extract<Outcome, { to: "retrying" | "queued" }>,
  now: number,
): void {
  if (outcome.to === "retrying") message.deliveries = 0;
  else message.deliveries += outcome.suspect ? 1 : -1;
  if (outcome.to === "retrying" || outcome.delayMs > 0) message.dueAt = now + outcome.delayMs;
  giveBack(state, message, now);
}

/** The final outcome of a message, with everything that follows from it but its hook. */
export function endMessage(
  state: ProjectState,
  message: Message,
  outcome: Extract<Outcome, { to: FinalState }>,
  now: number,
): void {
  remove(state, message);
  const stored = finishedTask(state, message, outcome, now);
  rollUp(state, stored, now);
  if (outcome.to === "succeeded" && !outcome.keep) {
    keepOutcome(state, message, outcome.to);
    forget(state, message);
  }
  // The first ending stays, should a broker have carried a finished task again.
  else if (!state.finished.has(message.id)) state.finished.set(message.id, stored);
  if (message.member !== undefined) state.memberOf.set(message.id, message.member.flow);
  tellFlow(state, message, outcome, now);
}

function finishedTask(
  state: ProjectState,
  message: Message,
  outcome: Extract<Outcome, { to: FinalState }>,
  now: number,
): StoredTask {
  const stored = storedTask(state, message, {
    state: outcome.to,
    result: outcome.to === "succeeded" ? outcome.result : null,
    error: outcome.to === "succeeded" ? null : outcome.error,
  });
  return { ...stored, stoppedAt: stored.stoppedAt ?? now };
}

function remove(state: ProjectState, message: Message): void {
  leaveLine(state, message);
  state.messages.delete(message.id);
  freeKey(state, message);
  state.bell.ring();
}

/** Tells the cluster that holds a message to cancel it. */
export function giveOrder(state: ProjectState, { id, holder }: Message): void {
  const cluster = holder === null ? undefined : state.consumers.get(holder)?.cluster.id;
  if (cluster === undefined) return;
  state.orders.set(cluster, [...(state.orders.get(cluster) ?? []), { order: "cancel", id }]);
  state.bell.ring();
}
