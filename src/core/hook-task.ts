import type { StoredNote } from "../contracts/frames.js";
import type { NewTask } from "../contracts/store.js";
import { composeHook } from "./hook-message.js";
import { deriveId } from "./ids.js";
import type { TaskHeader } from "./task-header.js";

/**
 * The hook of a task as a task of its own, or none when its header names none; and the task that a batch
 * has called with each of its members. Its id is derived, so that an ending that
 * is written twice makes one hook.
 *
 * @param header - Of the task that has finished; its envelope's own.
 * @param attempt - Number of the attempt, for a hook after each one; absent for the final outcome.
 * @param isFinal - Whether the task has ended, and not only the attempt.
 */
export function hookTasks(
  outcome: StoredNote,
  header: TaskHeader,
  attempt?: number,
  isFinal = true,
): readonly NewTask[] {
  if (header.kind === "hook") return none;
  if (header.flow !== undefined) return hooksOfUnopened(outcome, header);
  const { hook, each } = header;
  if (hook === undefined && each === undefined) return none;
  const hooks: NewTask[] = [];
  if (hook !== undefined) {
    hooks.push(hookTask(attempt === undefined ? "hook" : `hook:${attempt}`, hook, outcome, header));
  }
  if (each !== undefined && isFinal) hooks.push(hookTask("each", each, outcome, header));
  return hooks;
}

/** Whether anything may follow from the end of such a task, by {@link hookTasks}. */
export function mayHaveHooks({ hook, each, flow }: TaskHeader): boolean {
  return hook !== undefined || each !== undefined || flow !== undefined;
}

/** What follows from the end of a flow, its store works out. One that a schedule could not open has no end but this. */
function hooksOfUnopened(outcome: StoredNote, header: TaskHeader): readonly NewTask[] {
  if (header.kind !== "slot" || outcome.success) return none;
  const { hook, flow } = header;
  return [
    ...(hook === undefined ? [] : [hookTask("hook", hook, outcome, header)]),
    ...(flow?.onFailure === undefined ? [] : [hookTask("failure", flow.onFailure, outcome, header)]),
  ];
}

function hookTask(part: string, func: string, outcome: StoredNote, header: TaskHeader): NewTask {
  const id = deriveId(outcome.id, part);
  return {
    id,
    queue: outcome.queue,
    envelope: composeHook(id, { outcome }, header, func),
    func,
    name: null,
    group: null,
    kind: "hook",
    parent: outcome.id,
    priority: header.priority ?? 0,
    delayMs: 0,
    dueAt: null,
    expiresMs: null,
    unique: null,
  };
}

const none: readonly NewTask[] = [];
