import { formatDuration } from "../duration.js";
import { describeCron } from "./describe-cron.js";
import { dateText, months, ordinal, timeText, weekdays } from "./describe-time.js";
import { parseCron } from "./parse-cron.js";
import type { Rule } from "./rule.js";
import { wallTimeAt, type ZoneClock } from "./zone-clock.js";

/** A rule in one plain sentence: `Every day at 03:00 (Europe/Moscow).` @param zone - The clocks of the rule's zone. */
export function describeRule(rule: Rule, zone: ZoneClock): string {
  const until = rule.until === undefined ? "" : `, until ${momentText(wallTimeAt(zone, rule.until))}`;
  const jitter = rule.jitterMs === undefined ? "" : `, spread over ${formatDuration(rule.jitterMs)}`;
  const words = wordsOf(rule, zone);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${until}${jitter}${zoneWords(rule)}.`;
}

/** Rules that follow elapsed time are the same in every zone. */
function zoneWords({ type, timeZone, until }: Rule): string {
  const anywhere = type === "MINUTES" || type === "HOURLY" || type === "EVERY";
  return anywhere && until === undefined ? "" : ` (${timeZone})`;
}

function wordsOf(rule: Rule, zone: ZoneClock): string {
  const { type, anchor } = rule;
  const at = `at ${timeText(anchor)}`;
  const date = new Date(anchor);
  const weekday = weekdays[date.getUTCDay()] ?? "";
  switch (type) {
    case "ONCE":
      return `once, on ${momentText(wallTimeAt(zone, anchor))}`;
    case "MINUTES":
      return rule.everyMs === 60_000 ? "every minute" : `every ${(rule.everyMs ?? 0) / 60_000} minutes`;
    case "HOURLY":
      return `every hour, at ${minuteText(wallTimeAt(zone, anchor))}`;
    case "EVERY":
      return `every ${formatDuration(rule.everyMs ?? 0)}`;
    case "DAILY":
      return `every day ${at}`;
    case "WEEKLY":
      return `every ${weekday} ${at}`;
    case "BIWEEKLY":
      return `every second ${weekday} ${at}`;
    case "MONTHLY":
      return `every month on ${dayWords(date)} ${at}`;
    case "BIMONTHLY":
      return `every second month on ${dayWords(date)} ${at}`;
    case "QUARTERLY":
      return `every third month on ${dayWords(date)} ${at}`;
    case "YEARLY":
      return `every year on ${yearlyWords(date)} ${at}`;
    case "CRON":
      return describeCron(parseCron(rule.cron ?? ""));
  }
}

function momentText(wallTime: number): string {
  return `${dateText(wallTime)} at ${timeText(wallTime)}`;
}

function minuteText(wallTime: number): string {
  const minute = new Date(wallTime).getUTCMinutes();
  return minute === 0 ? "the full hour" : `minute ${minute}`;
}

function dayWords(date: Date): string {
  const day = date.getUTCDate();
  return day > 28 ? `the ${ordinal(day)}, or the last day of a shorter month,` : `the ${ordinal(day)}`;
}

function yearlyWords(date: Date): string {
  const day = `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ""}`;
  return day === "29 February" ? `${day}, or 28 February in other years,` : day;
}
