import type { StoredNote } from "../contracts/frames.js";
import type { MemberOutcome } from "../contracts/flows.js";
import type { ErrorRecord, StoredTask, TaskKind } from "../contracts/store.js";
import { openResult, type OpenedTask } from "./envelope.js";
import { flowResult } from "./flow-result.js";
import { openParent } from "./open-request.js";
import { readHookBody } from "./hook-message.js";
import { humanName } from "./ids.js";
import type { Keyring } from "./keyring.js";
import { readHeader, type TaskHeader } from "./task-header.js";
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
  const { header, args } = openParts(note, keys, limits);
  const { func, group } = header;
  const words = { name: header.name ?? humanName(note.id), func, group, args };
  return assemble(note, words, resultOpener(note, header, keys, limits));
}

function openParts(
  found: Pick<StoredNote, "id" | "queue" | "envelope">,
  keys: Keyring,
  { maxMessageBytes: maxBytes, maxResultBytes }: OpenLimits,
): OpenedTask {
  return openParent(keys, found, { maxBytes, maxResultBytes });
}

/** How to open the result, of a task or of a flow. */
function resultOpener(
  note: StoredNote,
  header: TaskHeader | undefined,
  keys: Keyring,
  limits: OpenLimits,
): () => unknown {
  const open = (id: string, sealed: string): unknown =>
    openResult(keys, id, sealed, { maxBytes: limits.maxResultBytes });
  const flow = header?.flow;
  if (flow === undefined) return () => open(note.id, note.result ?? "");
  return () => flowResult(note.id, flow, note.members ?? null, open);
}

/**
 * The finished task from its record. Name, group and function are those of the record, which may have changed since it was
 * sealed. What failed because its message cannot be opened has no arguments here.
 *
 * @param members - Of the record of a flow: how its members ended; `null`: more results than fit, and `result` throws when read.
 * @throws {EnvelopeError} when a success cannot be opened with these keys.
 */
export function finishedFromStore(
  task: StoredTask,
  keys: Keyring,
  limits: OpenLimits,
  members?: readonly MemberOutcome[] | null,
): FinishedTask {
  const note = { ...noteOf(task), members };
  const { func, group } = task;
  const words = { name: task.name ?? humanName(task.id), func, group: group ?? undefined };
  const open = resultOpener(note, isFlow(task.kind) ? readHeader(task.envelope) : undefined, keys, limits);
  return assemble(note, { ...words, args: argsOf(task, keys, limits) }, open);
}

/** Whether a record is that of a flow: its result stands at the places of its members. */
export function isFlow(kind: TaskKind): boolean {
  return kind !== "task" && kind !== "hook";
}

function argsOf(task: StoredTask, keys: Keyring, limits: OpenLimits): readonly unknown[] {
  try {
    if (task.kind === "hook") return [finishedTask(readHookBody(task.envelope).outcome, keys, limits)];
    return openParts(task, keys, limits).args;
  } catch (error) {
    if (task.state === "succeeded") throw error;
    return [];
  }
}

type Words = Pick<FinishedTask, "name" | "func" | "group" | "args">;

function assemble(note: StoredNote, words: Words, open: () => unknown): FinishedTask {
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
  // Too many results: the rest of the record can be read all the same.
  if (note.members === null) {
    return Object.defineProperty(
      { ...record, success: true as const, result: undefined as never, error: undefined },
      "result",
      {
        enumerable: false,
        get: open,
      },
    );
  }
  return { ...record, success: true, result: open() as never, error: undefined };
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
