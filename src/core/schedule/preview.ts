import { offsetText, timeText } from "./describe-time.js";
import { nextSlot } from "./next-slot.js";
import { nextWallTime } from "./next-wall-time.js";
import { parseCron } from "./parse-cron.js";
import { calendarSteps, type Rule } from "./rule.js";
import { wallTimeAt, type Stretch, type ZoneClock } from "./zone-clock.js";

/** A slot to come, and what a change of the clocks does to it. */
export interface PreviewedSlot {
  /** In milliseconds since 1970. */
  readonly slot: number;
  readonly note: string | undefined;
}

/** The next `count` slots after `after`. Each comes with a note when the clocks change at it, or since the slot before. */
export function previewSlots(rule: Rule, after: number, count: number, zone: ZoneClock): PreviewedSlot[] {
  const slots: PreviewedSlot[] = [];
  let before = after;
  while (slots.length < count) {
    const slot = nextSlot(rule, before, zone);
    if (slot === null) break;
    slots.push({ slot, note: noteOn(rule, slot, before, zone) });
    before = slot;
  }
  return slots;
}

function noteOn(rule: Rule, slot: number, before: number, zone: ZoneClock): string | undefined {
  const stretch = zone.stretchAt(slot);
  const wallTime = slot + stretch.offset;
  if (isShifted(rule, slot, wallTime, stretch)) {
    return `${timeText(slot + stretch.before)} does not exist on this day: ${changeText(stretch)}. It runs at ${timeText(wallTime)}.`;
  }
  if (isRepeatedLater(zone, slot, wallTime)) {
    return keepsWallTime(rule)
      ? `${timeText(wallTime)} comes twice on this day. It runs the first time only.`
      : `${timeText(wallTime)} comes twice on this day. It runs both times; this is the first.`;
  }
  if (wallTime < stretch.start + stretch.before) return `${timeText(wallTime)} comes for the second time on this day.`;
  if (stretch.start > before) return `The clocks have changed since the slot before: ${changeText(stretch)}.`;
  return undefined;
}

function changeText({ start, before, offset }: Stretch): string {
  const [from, to] = [timeText(start + before), timeText(start + offset)];
  return `at ${from} the clocks go to ${to} (${offsetText(before)} to ${offsetText(offset)})`;
}

/** Whether the rule asks for a time that the clocks skip, and this is what became of it. */
function isShifted(rule: Rule, slot: number, wallTime: number, { start, offset, before }: Stretch): boolean {
  if (offset <= before || slot >= start + offset - before || !keepsWallTime(rule)) return false;
  if (rule.type === "CRON") return nextWallTime(parseCron(rule.cron ?? ""), wallTime - 1) !== wallTime;
  return timeText(rule.anchor) !== timeText(wallTime);
}

function isRepeatedLater(zone: ZoneClock, slot: number, wallTime: number): boolean {
  const { end } = zone.stretchAt(slot);
  return end < Infinity && wallTime >= wallTimeAt(zone, end);
}

/** Rules that follow the clock, and not elapsed time. */
function keepsWallTime(rule: Rule): boolean {
  return rule.type === "CRON" ? !parseCron(rule.cron ?? "").everyHour : calendarSteps[rule.type] !== undefined;
}
