import type { NewTask, UniqueKey } from "../../contracts/store.js";
import { readHeader } from "../task-header.js";
import { composeSlot, slotTaskId, type SlotBody } from "./slot-message.js";

/** What a slot becomes, by kind. */
export type ScheduleTarget = TaskTarget;

/** One task. */
export interface TaskTarget {
  readonly kind: "task";
  readonly queue: string;
  /** Sealed by whoever made the schedule. */
  readonly envelope: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly priority: number;
  /** After the slot, in milliseconds. */
  readonly delayMs: number;
  readonly expiresMs: number | null;
  readonly unique: UniqueKey | null;
}

/**
 * The task of a slot.
 *
 * @param jitterMs - It starts up to so much later than its slot: by a part that its id decides, so that every cluster
 *   comes to the same.
 */
export function taskOfSlot(
  target: ScheduleTarget,
  facts: Omit<SlotBody, "envelope">,
  func: string,
  jitterMs = 0,
): NewTask {
  const { queue, envelope, name, group, priority, delayMs, expiresMs, unique } = target;
  const header = readHeader(envelope);
  if (header === undefined)
    throw new Error("The sealed target of the schedule cannot be read. Save the schedule anew.");
  const id = slotTaskId(facts);
  const late = jitterMs === 0 ? 0 : Math.floor((parseInt(id.slice(-8), 16) / 2 ** 32) * jitterMs);
  return {
    id,
    queue,
    envelope: composeSlot({ ...facts, envelope }, header),
    func,
    name,
    group,
    kind: "task",
    parent: facts.schedule,
    priority,
    delayMs,
    dueAt: late === 0 ? null : facts.slot + late,
    expiresMs,
    unique,
  };
}
