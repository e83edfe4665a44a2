import type { JobReport, StoredNote } from "../contracts/frames.js";
import type { ErrorRecord, NewTask, Outcome, Settlement } from "../contracts/store.js";
import { composeHook } from "../core/hook-message.js";
import { deriveId } from "../core/ids.js";
import { isFinal, settleAttempt } from "../core/settle.js";
import type { AttemptEnd } from "../core/settle.js";
import type { Entry } from "./entry.js";

/** What a report says of the attempt; `undefined` when nothing of the user's ran, or when its record is not ours to write. */
export function attemptEndOf(report: JobReport, worker: string): AttemptEnd | undefined {
  const { ending, stoppedAt } = report;
  if (ending.as === "unknown" || ending.as === "dead" || ending.as === "lost") return undefined;
  const times = { startedAt: report.startedAt ?? stoppedAt, stoppedAt, worker };
  switch (ending.as) {
    case "succeeded":
      return { ...times, ending: "succeeded", result: ending.result };
    case "error":
      return { ...times, ending: "error", error: ending.error, final: ending.final };
    case "timeout":
    case "cancelled":
      return { ...times, ending: ending.as, error: ending.error };
    case "stopped":
      return { ...times, ending: "released", error: ending.error };
  }
}

/** The write that ends an attempt: its record, the task's next state, and the hook that follows from it. */
export function settle(entry: Entry, end: AttemptEnd, random: number): Settlement {
  const { delivery, policy } = entry;
  const { attempt, outcome } = settleAttempt(end, delivery, policy, random);
  const counted = delivery.attempts + (attempt.counted ? 1 : 0);
  const note: StoredNote = {
    ...noteOf(entry, end.startedAt, end.stoppedAt, outcome, end.error ?? null),
    attempt: counted,
  };
  const hook = policy.hookOn === "attempt" ? attempt.counted || isFinal(outcome) : isFinal(outcome);
  const followUps = hook ? hooksOf(entry, note, attempt.number) : [];
  return { receipt: delivery.receipt, id: delivery.id, attempt, outcome, followUps };
}

/** Ends a task that never started: expired, cancelled while it waited, set aside. */
export function settleUnstarted(entry: Entry, outcome: Outcome & { error: ErrorRecord }, now: number): Settlement {
  const note = noteOf(entry, now, now, outcome, outcome.error);
  const followUps = outcome.error.dead === undefined ? hooksOf(entry, note, entry.delivery.starts) : [];
  return { receipt: entry.delivery.receipt, id: entry.delivery.id, attempt: null, outcome, followUps };
}

/** For `postExecute` and hooks. */
export function noteOf(
  entry: Entry,
  startedAt: number,
  stoppedAt: number,
  outcome: Outcome,
  error: ErrorRecord | null,
): StoredNote {
  const { id, queue, envelope, attempts, queuedAt } = entry.delivery;
  const success = outcome.to === "succeeded";
  const result = success ? outcome.result : null;
  return { id, queue, envelope, attempt: attempts, queuedAt, startedAt, stoppedAt, success, result, error };
}

function hooksOf(entry: Entry, outcome: StoredNote, attemptNumber: number): NewTask[] {
  const { header, delivery, policy } = entry;
  if (header.hook === undefined || header.kind === "hook") return [];
  // Derived, so that a settlement that is written twice makes one hook.
  const id = deriveId(delivery.id, policy.hookOn === "attempt" ? `hook:${attemptNumber}` : "hook");
  return [
    {
      id,
      queue: delivery.queue,
      envelope: composeHook(id, { outcome }, header),
      func: header.hook,
      name: null,
      group: null,
      kind: "hook",
      parent: delivery.id,
      priority: header.priority ?? 0,
      delayMs: 0,
      dueAt: null,
      expiresMs: null,
      unique: null,
    },
  ];
}
