import type { CancelAnswer, ErrorRecord, NewTask, Store, StoredTask } from "../contracts/store.js";
import { noteOf } from "./finished-task.js";
import { hookTasks } from "./hook-task.js";
import { readHeader } from "./task-header.js";

/** Why a task ended that was cancelled before it started. */
export const cancelledWhileWaiting: ErrorRecord = {
  name: "CancelledError",
  message: "The task was cancelled before it started.",
  stack: null,
};

/**
 * Cancels a task wherever it is. The hook of one that never runs follows from here, as no cluster has its end.
 *
 * @param now - Milliseconds since 1970.
 */
export async function cancelTask(store: Pick<Store, "get" | "cancel">, id: string, now: number): Promise<CancelAnswer> {
  const [task] = await store.get([id]);
  return await store.cancel(id, task === undefined ? [] : hooksOfCancelled(task, now));
}

/** What is called with a task that ended while it waited. @param error - Why it ended. */
export function hooksOfCancelled(
  task: StoredTask,
  now: number,
  error: ErrorRecord = cancelledWhileWaiting,
): readonly NewTask[] {
  const header = readHeader(task.envelope);
  if (header === undefined) return [];
  return hookTasks(noteOf({ ...task, stoppedAt: now, error }), header);
}
