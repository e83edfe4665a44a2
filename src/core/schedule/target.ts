import type { FlowKind } from "../../contracts/flows.js";
import type { NewTask, UniqueKey } from "../../contracts/store.js";
import { readHeader } from "../task-header.js";
import { composeSlot, slotTaskId, type SlotBody } from "./slot-message.js";

/** What a slot becomes. */
export interface ScheduleTarget {
  /** A task; or a task that opens a chain, an iterable or a batch, and has the id of what it opens. */
  readonly kind: "task" | FlowKind;
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
  /** Of a flow, for people: which tasks it has, in their order, at most {@link mostShown} of them; and how many there are. */
  readonly funcs?: readonly string[];
  readonly size?: number;
}

/** More names help nobody who reads a list. */
export const mostShown = 20;

/**
 * The task of a slot. Of a flow: the one that opens it.
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
  const { kind, queue, envelope, name, group, priority, delayMs, expiresMs, unique } = target;
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
    // The label is that of what it opens.
    group: kind === "task" ? group : null,
    kind,
    parent: facts.schedule,
    priority,
    delayMs,
    dueAt: late === 0 ? null : facts.slot + late,
    expiresMs,
    unique,
  };
}
