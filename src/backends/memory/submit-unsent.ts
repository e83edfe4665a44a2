import type { NewTask } from "../../contracts/store.js";
import type { ProjectState } from "./state.js";
import { submitTask } from "./submit.js";

/** Queues what follows from a flow. The caller does not know of it, so with a broker elsewhere others send it, at once. */
export function submitUnsent(state: ProjectState, task: NewTask, now: number): void {
  submitTask(state, task, now);
  const message = state.messages.get(task.id);
  if (message === undefined || message.sendAt === null || state.outbox === null) return;
  message.sendAt = Math.max(now, message.dueAt - state.outbox.aheadMs);
}
