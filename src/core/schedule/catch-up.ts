import { nextSlot } from "./next-slot.js";
import type { Rule } from "./rule.js";
import { newestSlots } from "./slots-between.js";
import type { ZoneClock } from "./zone-clock.js";

/** A slot that is later than this counts as missed, in milliseconds; with `catchUp: "none"` it is passed over. */
const onTimeMs = 30_000;

/** What one look at a due schedule leads to. */
export interface DueSlots {
  /** The slots to make tasks of, oldest first. */
  readonly fire: readonly number[];
  /** The newest slot that is due. The due ones that are not in `fire` are passed over. */
  readonly newest: number;
  /** The first slot that is not due yet; `null` when there is none. */
  readonly next: number | null;
}

/**
 * Chooses among the slots that are due by `now`. `"latest"`: the newest one. `"all"`: every one, the newest
 * `catchUpLimit` of them. `"none"`: the newest one, if it is on time. A rule whose tasks must not overlap fires one at
 * a time.
 *
 * @param slot - The slot that the schedule waits for, not later than `now`.
 * @param repeats - Runs that are left; negative for no limit.
 */
export function dueSlots(rule: Rule, slot: number, now: number, repeats: number, zone: ZoneClock): DueSlots {
  const most = rule.catchUp === "all" && rule.overlap === "allow" ? rule.catchUpLimit : 1;
  const later = newestSlots(rule, slot, now, zone, most);
  const slots = later.length < most ? [slot, ...later] : later;
  const newest = slots.at(-1) ?? slot;
  const chosen = rule.catchUp === "none" && now - newest > onTimeMs ? [] : slots;
  return {
    fire: repeats > 0 ? chosen.slice(0, repeats) : chosen,
    newest,
    next: nextSlot(rule, Math.max(now, newest), zone),
  };
}
