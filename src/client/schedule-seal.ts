import type { StoredSchedule } from "../contracts/schedules.js";
import { openTask, sealTask } from "../core/envelope.js";
import { targetOf } from "../core/schedule/fire.js";
import { composeSlot } from "../core/schedule/slot-message.js";
import type { TaskTarget } from "../core/schedule/target.js";
import type { TaskHeader } from "../core/task-header.js";
import { TooLargeError } from "../errors.js";
import type { EnqueueHost } from "./enqueuer.js";

/** What the tasks of a schedule have in common, before it is sealed. */
export interface SealedParts {
  readonly header: Omit<TaskHeader, "v" | "id" | "func" | "kind">;
  readonly queue: string;
  readonly expiresMs: number | null;
  readonly unique: TaskTarget["unique"];
  readonly delayMs: number;
}

/** The target of a schedule: its arguments and options, sealed under its own id. @throws {UnencodableError} {@link TooLargeError} */
export function sealTarget(
  { keys, seal }: EnqueueHost,
  id: string,
  func: string,
  { header, queue, ...rest }: SealedParts,
  args: readonly unknown[],
): TaskTarget {
  const full: TaskHeader = { v: 1, id, func, ...header, kind: "schedule" };
  const envelope = sealTask(keys, queue, full, args, seal);
  // The message of a slot carries it whole.
  const bytes = Buffer.byteLength(composeSlot({ schedule: id, slot: 0, envelope }, full));
  if (bytes > seal.maxBytes) {
    throw new TooLargeError("message", bytes, seal.maxBytes, { path: "args", bytes: Buffer.byteLength(envelope) });
  }
  return {
    kind: "task",
    queue,
    envelope,
    name: header.name ?? null,
    group: header.group ?? null,
    priority: header.priority ?? 0,
    ...rest,
  };
}

/** What a schedule's producer has sealed. @throws {EnvelopeError} */
export function openSchedule(
  { keys, seal }: EnqueueHost,
  schedule: StoredSchedule,
): { readonly header: TaskHeader; readonly args: readonly unknown[]; readonly target: TaskTarget } {
  const target = targetOf(schedule);
  return { ...openTask(keys, target.queue, target.envelope, { maxBytes: seal.maxBytes }), target };
}
