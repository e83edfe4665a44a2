import type { Store, TaskProgress } from "../contracts/store.js";
import { isFlow } from "../core/finished-task.js";
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
    notes: isFlow(task.kind) ? { ...notes, progress: await progressOf(store, id) } : notes,
  };
}

/** How many members of a flow have ended. */
async function progressOf({ flows }: Store, id: string): Promise<TaskProgress | undefined> {
  const [flow] = (await flows?.find([id])) ?? [];
  if (flow === undefined) return undefined;
  const total = flow.steps.length === 0 ? null : flow.steps.reduce((sum, width) => sum + width, 0);
  return { done: flow.done, total, note: null };
}

function dateOf(instant: number | null): Date | undefined {
  return instant === null ? undefined : new Date(instant);
}
