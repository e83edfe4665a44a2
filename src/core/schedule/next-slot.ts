import { lastInstant, nextCronSlot } from "./next-cron-slot.js";
import { parseCron } from "./parse-cron.js";
import { calendarSteps, elapsedStep, type Rule } from "./rule.js";
import { instantOf, wallTimeAt, type ZoneClock } from "./zone-clock.js";

const dayMs = 86_400_000;

/**
 * The first slot of a rule that is later than `after`, or `null` when there is none. Slots are counted from the rule's
 * anchor, never from one another, so they cannot drift.
 *
 * @param after - In milliseconds since 1970, as the answer.
 * @param zone - The clocks of `rule.timeZone`.
 */
export function nextSlot(rule: Rule, after: number, zone: ZoneClock): number | null {
  const slot = unbounded(rule, after, zone);
  return slot === null || slot > Math.min(rule.until ?? lastInstant, lastInstant) ? null : slot;
}

function unbounded(rule: Rule, after: number, zone: ZoneClock): number | null {
  const { type, anchor } = rule;
  if (type === "ONCE") return anchor > after ? anchor : null;
  if (type === "CRON") return nextCronSlot(parseCron(rule.cron ?? ""), after, zone);
  const every = elapsedStep(rule);
  if (every !== undefined) return anchor > after ? anchor : anchor + (Math.floor((after - anchor) / every) + 1) * every;
  return nextByCalendar(rule, after, zone);
}

function nextByCalendar({ type, anchor }: Rule, after: number, zone: ZoneClock): number {
  const step = calendarSteps[type];
  if (step === undefined) throw new RangeError(`There is no schedule type "${type}".`);
  const wallTime = wallTimeAt(zone, after);
  // Two steps early: the clocks may have been moved, and a month may be short.
  const passed =
    "days" in step ? (wallTime - anchor) / (step.days * dayMs) : monthsBetween(anchor, wallTime) / step.months;
  for (let count = Math.max(0, Math.floor(passed) - 2); ; count++) {
    const then = "days" in step ? anchor + count * step.days * dayMs : addMonths(anchor, count * step.months);
    const slot = instantOf(zone, then);
    if (slot > after) return slot;
  }
}

function monthsBetween(from: number, to: number): number {
  const [a, b] = [new Date(from), new Date(to)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}

/** The same day so many months later, or the last day of a month that is too short for it. */
function addMonths(wallTime: number, months: number): number {
  const date = new Date(wallTime);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), lastDay);
  return Date.UTC(year, month, day) + (wallTime - Math.floor(wallTime / dayMs) * dayMs);
}
