import type { StoredNote } from "../contracts/frames.js";
import type { ErrorRecord, StoredTask } from "../contracts/store.js";
import { openResult, openTask } from "./envelope.js";
import { humanize } from "./ids.js";
import type { Keyring } from "./keyring.js";
import type { FinishedTask } from "./task-types.js";

export interface OpenLimits {
  readonly maxMessageBytes: number;
  readonly maxResultBytes: number;
}

/**
 * The finished task as hooks, signals and `fetch` see it, opened from its sealed parts.
 *
 * @throws {EnvelopeError} when arguments or result cannot be opened with these keys.
 */
export function finishedTask(note: StoredNote, keys: Keyring, limits: OpenLimits): FinishedTask {
  const opened = openTask(keys, note.queue, note.envelope, { maxBytes: limits.maxMessageBytes });
  const record = {
    id: note.id,
    name: opened.header.name ?? humanize(note.id),
    func: opened.header.func,
    args: opened.args,
    group: opened.header.group,
    queue: note.queue,
    attempts: note.attempt,
    queuedAt: new Date(note.queuedAt),
    startedAt: new Date(note.startedAt),
    stoppedAt: new Date(note.stoppedAt),
  };
  if (!note.success) return { ...record, success: false, result: undefined, error: publicError(note.error) };
  const result = openResult(keys, note.id, note.result ?? "", { maxBytes: limits.maxResultBytes });
  return { ...record, success: true, result: result as never, error: undefined };
}

/** The part of a stored, final task that {@link finishedTask} needs. */
export function noteOf(task: StoredTask): StoredNote {
  const stoppedAt = task.stoppedAt ?? task.queuedAt;
  return {
    id: task.id,
    queue: task.queue,
    envelope: task.envelope,
    attempt: task.attempts,
    queuedAt: task.queuedAt,
    startedAt: task.startedAt ?? stoppedAt,
    stoppedAt,
    success: task.state === "succeeded",
    result: task.result,
    error: task.error,
  };
}

function publicError(error: ErrorRecord | null): FinishedTask["error"] & object {
  if (error === null) return { name: "Error", message: "The task did not succeed.", stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack ?? undefined };
}
