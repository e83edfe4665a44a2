import type { ErrorRecord, NewTask, StoredTask } from "../contracts/store.js";
import { noteOf } from "./finished-task.js";
import { hookTasks } from "./hook-task.js";
import { readHeader } from "./task-header.js";

/** Why a task ended that was cancelled before it started. */
export const cancelledWhileWaiting: ErrorRecord = {
  name: "CancelledError",
  message: "The task was cancelled before it started.",
  stack: null,
};

/** What follows when a waiting task is cancelled: its hook, if it has one. @param now - Milliseconds since 1970. */
export function hooksOfCancelled(task: StoredTask, now: number): readonly NewTask[] {
  const header = readHeader(task.envelope);
  if (header === undefined) return [];
  return hookTasks(noteOf({ ...task, stoppedAt: now, error: cancelledWhileWaiting }), header);
}
