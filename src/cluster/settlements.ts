import type { JobReport } from "../contracts/frames.js";
import type { ErrorRecord, NewTask, Outcome, Settlement } from "../contracts/store.js";
import { hookTasks } from "../core/hook-task.js";
import type { AttemptEnd } from "../core/settle.js";
import { noteOf } from "../core/settlement.js";
import type { Entry } from "./entry.js";

const none: readonly NewTask[] = [];

/** What a report says of the attempt; `undefined` when nothing of the user's ran, or when its record is not ours to write. */
export function attemptEndOf(report: JobReport, worker: string): AttemptEnd | undefined {
  const { ending, stoppedAt } = report;
  const startedAt = report.startedAt ?? stoppedAt;
  switch (ending.as) {
    case "succeeded":
      return { ending: "succeeded", startedAt, stoppedAt, worker, result: ending.result };
    // What it led to is no result of its own.
    case "opened":
      return { ending: "succeeded", startedAt, stoppedAt, worker, result: "" };
    case "error":
      return { ending: "error", startedAt, stoppedAt, worker, error: ending.error, final: ending.final };
    case "timeout":
    case "cancelled":
      return { ending: ending.as, startedAt, stoppedAt, worker, error: ending.error };
    case "stopped":
      return { ending: "released", startedAt, stoppedAt, worker, error: ending.error };
    case "unknown":
    case "dead":
    case "lost":
      return undefined;
  }
}

/** Ends a task that never started: expired, cancelled while it waited, set aside. */
export function settleUnstarted(entry: Entry, outcome: Outcome & { error: ErrorRecord }, now: number): Settlement {
  const end = { ending: "released", startedAt: now, stoppedAt: now, worker: "", error: outcome.error } as const;
  const nth = entry.policy.hookOn === "attempt" ? entry.delivery.starts : undefined;
  const followUps = isSealed(outcome.error) ? hookTasks(noteOf(entry, end, outcome), entry.header, nth) : none;
  return { receipt: entry.delivery.receipt, id: entry.delivery.id, attempt: null, outcome, followUps };
}

/** Whether what the header says can be believed: of a message that does not open, no worker could check the hook. */
function isSealed({ dead }: ErrorRecord): boolean {
  return dead === undefined || dead === "unknown-task" || dead === "poison";
}
