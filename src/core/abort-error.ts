import type { Job } from "../contracts/frames.js";
import type { ErrorRecord } from "../contracts/store.js";
import { LeaseLostError, TaskAbortedError, TaskTimeoutError } from "../errors.js";
import { toErrorRecord } from "./error-record.js";

/** Why a task is asked to give in. */
export type AbortReason = "timeout" | "cancelled" | "stopped" | "lost";

/** Another cluster may run the task by now. */
export function leaseLost({ id, consumer }: Job): LeaseLostError {
  return new LeaseLostError(
    consumer,
    `Task ${id} cannot be completed: its cluster has lost its lease, and another one may run it by now, or it has ended ` +
      "already. Nothing was written for it. Let this error roll the transaction back.",
  );
}

export function abortError(reason: AbortReason, limitMs: number): Error {
  return reason === "timeout" ? new TaskTimeoutError(limitMs) : new TaskAbortedError(reason);
}

/** For error reporters: the time-out first, with what the function threw meanwhile as its cause. */
export function timeoutBecauseOf(thrown: unknown, limitMs: number): unknown {
  return thrown instanceof TaskTimeoutError ? thrown : Object.assign(new TaskTimeoutError(limitMs), { cause: thrown });
}

/** The reason first; what the function threw meanwhile stays visible below it. */
export function abortRecord(reason: Error, thrown: unknown): ErrorRecord {
  const record = toErrorRecord(reason);
  if (thrown instanceof TaskTimeoutError || thrown instanceof TaskAbortedError) return { ...record, stack: null };
  const { name, message, stack } = toErrorRecord(thrown);
  return {
    ...record,
    stack: `${record.name}: ${record.message}\nThe task then threw ${name}: ${message}\n${stack ?? ""}`,
  };
}
