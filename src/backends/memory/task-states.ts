import type { StoredTask, TaskState } from "../../contracts/store.js";
import type { Message, ProjectState } from "./state.js";

/** A waiting message that must not start any more. One that runs has started in time. */
export function hasExpired(message: Message, now: number): boolean {
  return message.holder === null && isPastExpiry(message, now);
}

export function isPastExpiry(message: Message, now: number): boolean {
  return message.expiresAt !== null && message.expiresAt <= now;
}

export function stateOf(message: Message, now: number): TaskState {
  if (message.holder !== null) return "running";
  if (hasExpired(message, now)) return "expired";
  if (message.attempts > 0) return "retrying";
  return message.dueAt > now ? "scheduled" : "queued";
}

/** An unfinished task as the store shows it. */
export function unfinished(state: ProjectState, message: Message, now: number): StoredTask {
  return storedTask(state, message, { state: stateOf(message, now), result: null, error: null });
}

/** What is the same for finished and unfinished tasks. */
export function storedTask(
  state: ProjectState,
  message: Message,
  ending: Pick<StoredTask, "state" | "result" | "error">,
): StoredTask {
  const { id, queue, func, name, group, kind, parent, envelope, priority, attempts, queuedAt, dueAt } = message;
  const last = state.attempts.get(id)?.at(-1);
  const times = {
    startedAt: last?.startedAt ?? null,
    stoppedAt: last?.stoppedAt ?? null,
    worker: last?.worker ?? null,
  };
  return {
    id,
    queue,
    func,
    name,
    group,
    kind,
    parent,
    envelope,
    priority,
    attempts,
    queuedAt,
    dueAt,
    ...times,
    ...ending,
  };
}
