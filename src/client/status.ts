import type { Store } from "../contracts/store.js";
import type { TaskStatus } from "./types.js";

/** Where a task stands, with what it reported; `undefined` for an unknown id. */
export async function statusOf(store: Store, id: string): Promise<TaskStatus | undefined> {
  const [[task], notes] = await Promise.all([store.get([id]), store.notes(id)]);
  if (task === undefined) return undefined;
  return {
    state: task.state,
    attempts: task.attempts,
    queuedAt: new Date(task.queuedAt),
    dueAt: new Date(task.dueAt),
    startedAt: dateOf(task.startedAt),
    stoppedAt: dateOf(task.stoppedAt),
    notes,
  };
}

function dateOf(instant: number | null): Date | undefined {
  return instant === null ? undefined : new Date(instant);
}
