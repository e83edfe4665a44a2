import type { Delivery } from "../contracts/broker.js";
import type { StoredNote } from "../contracts/frames.js";
import type { NewTask, Outcome, Settlement } from "../contracts/store.js";
import { hookTasks, mayHaveHooks } from "./hook-task.js";
import { countsTowardsAttempts, isFinal, settleAttempt } from "./settle.js";
import type { AttemptEnd, RunPolicy } from "./settle.js";
import type { TaskHeader } from "./task-header.js";

/** A task that was handed out, as far as its ending depends on it. */
export interface HandedOut {
  readonly delivery: Pick<Delivery, "receipt" | "id" | "queue" | "envelope" | "attempts" | "starts" | "queuedAt">;
  readonly header: TaskHeader;
  readonly policy: RunPolicy;
}

const none: readonly NewTask[] = [];

/** The write that ends an attempt: its record, the task's next state, and the hook that follows from it. */
export function settle(entry: HandedOut, end: AttemptEnd, random: number): Settlement {
  const { delivery, policy } = entry;
  const { attempt, outcome } = settleAttempt(end, delivery, policy, random);
  const due = mayHaveHooks(entry.header) && (isFinal(outcome) || (policy.hookOn === "attempt" && attempt.counted));
  const nth = policy.hookOn === "attempt" ? attempt.number : undefined;
  const followUps = due ? hookTasks(noteOf(entry, end, outcome), entry.header, nth, isFinal(outcome)) : none;
  return { receipt: delivery.receipt, id: delivery.id, attempt, outcome, followUps };
}

/** The finished attempt, for `postExecute` and hooks. */
export function noteOf(entry: HandedOut, end: AttemptEnd, outcome: Outcome): StoredNote {
  const { id, queue, envelope, attempts, queuedAt } = entry.delivery;
  const { startedAt, stoppedAt, error = null } = end;
  const attempt = attempts + (countsTowardsAttempts(end.ending) ? 1 : 0);
  const success = outcome.to === "succeeded";
  const result = success ? outcome.result : null;
  return { id, queue, envelope, attempt, queuedAt, startedAt, stoppedAt, success, result, error };
}
