import type { Cron } from "./parse-cron.js";

/** Dates repeat themselves after 400 years, but whatever comes at all comes within 40: a fifth Friday in February. */
const mostMonths = 41 * 12;
const dayMs = 86_400_000;

/** The first wall time after `wallTime` that an expression allows, or `null` when no date fits. */
export function nextWallTime(cron: Cron, wallTime: number): number | null {
  const start = new Date(Math.floor(wallTime / 1_000) * 1_000 + 1_000);
  const year = start.getUTCFullYear();
  const month = start.getUTCMonth();
  for (let ahead = 0; ahead < mostMonths; ahead++) {
    const first = new Date(Date.UTC(year, month + ahead, 1));
    if (!cron.months.includes(first.getUTCMonth() + 1)) continue;
    const found = inMonth(cron, first.getTime(), start.getTime());
    if (found !== null) return found;
  }
  return null;
}

function inMonth(cron: Cron, month: number, start: number): number | null {
  const first = Math.max(1, Math.floor((start - month) / dayMs) + 1);
  const days = daysIn(month);
  for (let date = first; date <= days; date++) {
    if (!fits(cron, month, date, days)) continue;
    const midnight = month + (date - 1) * dayMs;
    const time = timeOfDay(cron, Math.max(0, (start - midnight) / 1_000));
    if (time !== null) return midnight + time * 1_000;
  }
  return null;
}

function fits(cron: Cron, month: number, date: number, days: number): boolean {
  switch (cron.days) {
    case "every":
      return true;
    case "dates":
      return fitsDate(cron, date, days);
    case "weekdays":
      return fitsWeekday(cron, month, date, days);
    case "either":
      return fitsDate(cron, date, days) || fitsWeekday(cron, month, date, days);
  }
}

function fitsDate({ dates }: Cron, date: number, days: number): boolean {
  return dates.values.includes(date) || (dates.last && date === days);
}

function fitsWeekday({ weekdays }: Cron, month: number, date: number, days: number): boolean {
  const day = new Date(month + (date - 1) * dayMs).getUTCDay();
  return (
    weekdays.values.includes(day) ||
    (weekdays.lastOf.includes(day) && date > days - 7) ||
    weekdays.nth.some((one) => one.day === day && one.nth === Math.ceil(date / 7))
  );
}

function daysIn(month: number): number {
  const first = new Date(month);
  return new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
}

/** The first allowed time of a day from `from` on, in seconds. */
function timeOfDay({ hours, minutes, seconds }: Cron, from: number): number | null {
  for (const hour of hours) {
    if (hour * 3_600 + 3_599 < from) continue;
    for (const minute of minutes) {
      const start = hour * 3_600 + minute * 60;
      if (start + 59 < from) continue;
      const second = seconds.find((one) => start + one >= from);
      if (second !== undefined) return start + second;
    }
  }
  return null;
}
