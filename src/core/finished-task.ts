import type { StoredNote } from "../contracts/frames.js";
import type { ErrorRecord, StoredTask } from "../contracts/store.js";
import { openResult } from "./envelope.js";
import { openRequest } from "./open-request.js";
import { readHookBody } from "./hook-message.js";
import { humanName } from "./ids.js";
import type { Keyring } from "./keyring.js";
import type { FinishedTask } from "./task-types.js";

export interface OpenLimits {
  readonly maxMessageBytes: number;
  readonly maxResultBytes: number;
}

/**
 * The finished task as hooks and signals see it, opened from its sealed parts.
 *
 * @throws {EnvelopeError} when arguments or result cannot be opened with these keys.
 */
export function finishedTask(note: StoredNote, keys: Keyring, limits: OpenLimits): FinishedTask {
  const { header, args } = openRequest(keys, note, { maxBytes: limits.maxMessageBytes });
  const { func, group } = header;
  return assemble(note, { name: header.name ?? humanName(note.id), func, group, args }, keys, limits);
}

/**
 * The finished task from its record. Name, group and function are those of the record, which may have changed since it was
 * sealed. What failed because its message cannot be opened has no arguments here.
 *
 * @throws {EnvelopeError} when a success cannot be opened with these keys.
 */
export function finishedFromStore(task: StoredTask, keys: Keyring, limits: OpenLimits): FinishedTask {
  const note = noteOf(task);
  const { func, group } = task;
  const words = { name: task.name ?? humanName(task.id), func, group: group ?? undefined };
  return assemble(note, { ...words, args: argsOf(task, keys, limits) }, keys, limits);
}

function argsOf(task: StoredTask, keys: Keyring, limits: OpenLimits): readonly unknown[] {
  try {
    if (task.kind === "hook") return [finishedTask(readHookBody(task.envelope).outcome, keys, limits)];
    return openRequest(keys, task, { maxBytes: limits.maxMessageBytes }).args;
  } catch (error) {
    if (task.state === "succeeded") throw error;
    return [];
  }
}

type Words = Pick<FinishedTask, "name" | "func" | "group" | "args">;

function assemble(note: StoredNote, words: Words, keys: Keyring, limits: OpenLimits): FinishedTask {
  const record = {
    id: note.id,
    ...words,
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
