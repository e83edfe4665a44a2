import { nextSlot } from "./next-slot.js";
import type { Rule } from "./rule.js";
import type { ZoneClock } from "./zone-clock.js";

const minuteMs = 60_000;
/** How far back to look for the newest slots, each time further, in milliseconds. */
const lookBacks = [minuteMs, 60 * minuteMs, 24 * 60 * minuteMs, 31 * 24 * 60 * minuteMs, 366 * 24 * 60 * minuteMs];

/** The slots later than `after` and not later than `until`, oldest first, `most` at most. */
export function slotsBetween(
  rule: Rule,
  after: number,
  until: number,
  zone: ZoneClock,
  most: number = Infinity,
): number[] {
  const slots: number[] = [];
  let slot = nextSlot(rule, after, zone);
  while (slot !== null && slot <= until && slots.length < most) {
    slots.push(slot);
    slot = nextSlot(rule, slot, zone);
  }
  return slots;
}

/**
 * The `most` newest slots later than `after` and not later than `until`, oldest first. Takes no longer for a year of
 * missed minutes than for an hour.
 */
export function newestSlots(rule: Rule, after: number, until: number, zone: ZoneClock, most: number): number[] {
  for (const lookBack of lookBacks) {
    const from = until - lookBack;
    if (from <= after) break;
    const slots = slotsBetween(rule, from, until, zone);
    if (slots.length >= most) return slots.slice(-most);
  }
  return slotsBetween(rule, after, until, zone).slice(-most);
}
