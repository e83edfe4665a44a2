import type { StoredSchedule } from "../contracts/schedules.js";
import { openTask, sealTask } from "../core/envelope.js";
import { targetOf } from "../core/schedule/fire.js";
import { recordFlow, type FlowPlan } from "../core/schedule/flow-plan.js";
import { composeSlot } from "../core/schedule/slot-message.js";
import type { ScheduleTarget } from "../core/schedule/target.js";
import type { TaskHeader } from "../core/task-header.js";
import { TooLargeError } from "../errors.js";
import type { EnqueueHost } from "./enqueuer.js";
import type { PlannedHeader } from "./request-plan.js";

/** What the tasks of a schedule have in common, before it is sealed. */
export interface SealedParts {
  readonly header: Omit<TaskHeader, "v" | "id" | "func" | "kind">;
  readonly queue: string;
  readonly expiresMs: number | null;
  readonly unique: ScheduleTarget["unique"];
  readonly delayMs: number;
  readonly shape: Shape;
}

/** What a slot becomes, for people: beside a task the kind of what it opens, which tasks that has, and how many. */
export type Shape = Pick<ScheduleTarget, "kind" | "funcs" | "size">;

/** What opens a flow is ours, quick and harmless to repeat: it is tried until the machine it runs on is well again. */
const opener = { attempts: 20, timeout: 60_000, save: false, hookOn: "final" } as const;

/** The header of what opens a flow. @param own - What the schedule says of the flow itself. */
export function openerHeader(own: PlannedHeader, plan: FlowPlan): PlannedHeader {
  return { ...own, ...opener, flow: recordFlow(plan) };
}

/** The target of a schedule: its arguments and options, sealed under its own id. @throws {UnencodableError} {@link TooLargeError} */
export function sealTarget(
  { keys, seal }: EnqueueHost,
  id: string,
  func: string,
  { header, queue, shape, ...rest }: SealedParts,
  args: readonly unknown[],
): ScheduleTarget {
  const full: TaskHeader = { v: 1, id, func, ...header, kind: "schedule" };
  const envelope = sealTask(keys, queue, full, args, seal);
  // The message of a slot carries it whole.
  const bytes = Buffer.byteLength(composeSlot({ schedule: id, slot: 0, envelope }, full));
  if (bytes > seal.maxBytes) {
    throw new TooLargeError("message", bytes, seal.maxBytes, { path: "args", bytes: Buffer.byteLength(envelope) });
  }
  return {
    ...shape,
    queue,
    envelope,
    name: header.name ?? null,
    group: header.group ?? null,
    priority: header.priority ?? 0,
    ...rest,
  };
}

export interface OpenedSchedule {
  readonly header: TaskHeader;
  readonly args: readonly unknown[];
  readonly target: ScheduleTarget;
}

/** What a schedule's producer has sealed. @throws {EnvelopeError} */
export function openSchedule({ keys, seal }: EnqueueHost, schedule: StoredSchedule): OpenedSchedule {
  const target = targetOf(schedule);
  return { ...openTask(keys, target.queue, target.envelope, { maxBytes: seal.maxBytes }), target };
}
