import type { NewTask } from "../../contracts/store.js";
import { hasExpired } from "./task-states.js";
import type { Message, ProjectState } from "./state.js";

/** The task that has the key at this moment, if any. */
export function keyHolder(state: ProjectState, task: NewTask, now: number): string | undefined {
  const holder = task.unique === null ? undefined : state.unique.get(task.unique.key);
  if (holder === undefined || holder.freeAt <= now) return undefined;
  const message = state.messages.get(holder.id);
  return message === undefined || hasExpired(message, now) ? undefined : holder.id;
}

export function takeKey(state: ProjectState, task: NewTask, now: number): void {
  if (task.unique === null) return;
  const { key, forMs } = task.unique;
  state.unique.set(key, { id: task.id, freeAt: forMs === null ? Infinity : now + forMs });
}

/** Frees the key that a message has, unless somebody else has it by now. */
export function freeKey(state: ProjectState, message: Message): void {
  if (message.unique === null) return;
  if (state.unique.get(message.unique.key)?.id === message.id) state.unique.delete(message.unique.key);
}
