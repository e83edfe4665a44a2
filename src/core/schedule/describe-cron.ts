import { listText, months, ordinal, weekdays } from "./describe-time.js";
import type { Cron } from "./parse-cron.js";

/** So many times of the day are listed; of more, hours and minutes are told apart. */
const listedTimes = 6;

/** A cron expression as part of a sentence: `at 22:00 on Monday to Friday`. */
export function describeCron(cron: Cron): string {
  const everyDay = cron.days === "every" && momentsOf(cron) <= listedTimes ? "every day" : "";
  return [everyDay, timeWords(cron), dayWords(cron), monthWords(cron)].filter((part) => part !== "").join(" ");
}

function momentsOf({ seconds, minutes, hours }: Cron): number {
  return seconds.length * minutes.length * hours.length;
}

function timeWords(cron: Cron): string {
  const { seconds, minutes, hours } = cron;
  if (momentsOf(cron) <= listedTimes) {
    return `at ${listText(hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => clockText(h, m, s)))))}`;
  }
  const hourPart = hours.length === 24 ? "" : ` of hour ${rangesText(hours)}`;
  if (seconds.length === 1 && seconds[0] === 0) return `${minuteWords(minutes)}${hourPart}`;
  const minutePart = minutes.length === 60 ? "" : ` of minute ${rangesText(minutes)}`;
  return `${everyWords(seconds, 60, "second") ?? `at second ${rangesText(seconds)}`}${minutePart}${hourPart}`;
}

function minuteWords(minutes: readonly number[]): string {
  if (minutes.length === 1)
    return minutes[0] === 0 ? "at the start of every hour" : `at minute ${minutes[0] ?? 0} of every hour`;
  return everyWords(minutes, 60, "minute") ?? `at minute ${rangesText(minutes)}`;
}

/** `every 5 minutes`, where the values are spread evenly from 0 on. */
function everyWords(values: readonly number[], of: number, unit: string): string | undefined {
  const step = of / values.length;
  if (!values.every((value, index) => value === index * step)) return undefined;
  return step === 1 ? `every ${unit}` : `every ${step} ${unit}s`;
}

function clockText(hour: number, minute: number, second: number): string {
  const parts = second === 0 ? [hour, minute] : [hour, minute, second];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function dayWords(cron: Cron): string {
  if (cron.days === "every") return "";
  const dates = cron.days === "weekdays" ? [] : dateParts(cron);
  const days = cron.days === "dates" ? [] : weekdayParts(cron);
  return `on ${listText([...dates, ...days], "or")}`;
}

function dateParts({ dates }: Cron): string[] {
  const given = dates.values.length > 0 ? [`day ${rangesText(dates.values)} of the month`] : [];
  return dates.last ? [...given, "the last day of the month"] : given;
}

function weekdayParts({ weekdays: days }: Cron): string[] {
  const given = days.values.length > 0 ? [rangesText(days.values, (day) => weekdays[day] ?? "")] : [];
  const last = days.lastOf.map((day) => `the last ${weekdays[day] ?? ""} of the month`);
  const nth = days.nth.map((one) => `the ${ordinal(one.nth)} ${weekdays[one.day] ?? ""} of the month`);
  return [...given, ...last, ...nth];
}

function monthWords({ months: given }: Cron): string {
  return given.length === 12 ? "" : `in ${rangesText(given, (month) => months[month - 1] ?? "")}`;
}

/** `1 to 5, 8 and 10`. */
function rangesText(values: readonly number[], word: (value: number) => string = String): string {
  const parts: string[] = [];
  for (let from = 0; from < values.length;) {
    let to = from;
    while (values[to + 1] === (values[to] ?? 0) + 1) to += 1;
    const first = word(values[from] ?? 0);
    if (to === from) parts.push(first);
    else if (to === from + 1) parts.push(first, word(values[to] ?? 0));
    else parts.push(`${first} to ${word(values[to] ?? 0)}`);
    from = to + 1;
  }
  return listText(parts);
}
