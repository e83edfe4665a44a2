import type { StoredNote } from "../contracts/frames.js";
import type { NewTask } from "../contracts/store.js";
import { composeHook } from "./hook-message.js";
import { deriveId } from "./ids.js";
import type { TaskHeader } from "./task-header.js";

/**
 * The hook of a task as a task of its own, or none when its header names none. Its id is derived, so that an ending that
 * is written twice makes one hook.
 *
 * @param header - Of the task that has finished; its envelope's own.
 * @param attempt - Number of the attempt, for a hook after each one; absent for the final outcome.
 */
export function hookTasks(outcome: StoredNote, header: TaskHeader, attempt?: number): readonly NewTask[] {
  if (header.hook === undefined || header.kind === "hook") return none;
  const id = deriveId(outcome.id, attempt === undefined ? "hook" : `hook:${attempt}`);
  return [
    {
      id,
      queue: outcome.queue,
      envelope: composeHook(id, { outcome }, header),
      func: header.hook,
      name: null,
      group: null,
      kind: "hook",
      parent: outcome.id,
      priority: header.priority ?? 0,
      delayMs: 0,
      dueAt: null,
      expiresMs: null,
      unique: null,
    },
  ];
}

const none: readonly NewTask[] = [];
