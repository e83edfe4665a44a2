import { beforeAll, describe, expect, it } from "vitest";
import { nextCronSlot } from "./next-cron-slot.js";
import { parseCron } from "./parse-cron.js";
import { zoneClock, type ZoneClock } from "./zone-clock.js";

/*
 * A walker that goes from minute to minute, and knows nothing of the code it checks: the clocks come from Intl, and an
 * expression is a list of texts with the numbers that each stands for.
 */

const expressions = 10_000;
const minuteMs = 60_000;
const dayMinutes = 24 * 60;

/** Around changes of the clocks, of every kind that there is, and around days without one. */
const windows: readonly (readonly [zone: string, middle: string])[] = [
  ["Europe/Amsterdam", "2026-03-29T01:00Z"],
  ["Europe/Amsterdam", "2026-10-25T01:00Z"],
  ["Europe/Moscow", "2014-10-25T22:00Z"],
  ["Europe/Moscow", "2026-01-31T21:00Z"],
  ["America/New_York", "2027-03-14T07:00Z"],
  ["America/New_York", "2027-11-07T06:00Z"],
  ["Australia/Lord_Howe", "2026-10-03T15:30Z"],
  ["Australia/Lord_Howe", "2026-04-04T15:00Z"],
  ["America/Sao_Paulo", "2018-11-04T03:00Z"],
  ["America/Sao_Paulo", "2019-02-17T02:00Z"],
  ["Asia/Kolkata", "2024-02-29T12:00Z"],
  ["Pacific/Apia", "2011-12-30T10:00Z"],
  ["Pacific/Apia", "2012-09-29T14:00Z"],
  ["Africa/Casablanca", "2026-02-15T02:00Z"],
  ["Africa/Casablanca", "2026-03-22T02:00Z"],
  ["Asia/Tehran", "2022-03-21T20:30Z"],
  ["Asia/Tehran", "2022-09-21T19:30Z"],
  ["UTC", "2025-12-31T23:00Z"],
];

/** What clocks show in one minute. */
interface Face {
  /** As minutes since 1970 in UTC. */
  readonly wall: number;
  readonly minute: number;
  readonly hour: number;
  readonly date: number;
  readonly month: number;
  readonly day: number;
}

interface Shown extends Face {
  readonly instant: number;
  /** What the clocks have skipped since the minute before. */
  readonly skipped: readonly Face[];
  /** The clocks have shown this before. */
  readonly again: boolean;
}

interface Field {
  readonly text: string;
  readonly allows: readonly boolean[];
  readonly isAny: boolean;
}

interface Window {
  readonly zone: ZoneClock;
  readonly minutes: readonly Shown[];
}

let seed = 20_260_101;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function face(wall: number): Face {
  const time = new Date(wall * minuteMs);
  return {
    wall,
    minute: time.getUTCMinutes(),
    hour: time.getUTCHours(),
    date: time.getUTCDate(),
    month: time.getUTCMonth() + 1,
    day: time.getUTCDay(),
  };
}

/** Two days before and two days after the middle. */
async function openWindow([name, middle]: readonly [string, string]): Promise<Window> {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: name, dateStyle: "short", timeStyle: "short" });
  const minutes: Shown[] = [];
  const start = Date.parse(middle) - 2 * dayMinutes * minuteMs;
  let latest = Infinity;
  for (let index = 0; index < 4 * dayMinutes; index++) {
    const instant = start + index * minuteMs;
    const [, day, month, year, hour, minute] = /(\d+)\/(\d+)\/(\d+), (\d+):(\d+)/.exec(format.format(instant))!;
    const wall = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)) / minuteMs;
    const skipped: Face[] = [];
    for (let missing = latest + 1; missing < wall; missing++) skipped.push(face(missing));
    minutes.push({ instant, ...face(wall), skipped, again: wall <= latest });
    latest = latest === Infinity ? wall : Math.max(latest, wall);
  }
  return { zone: await zoneClock(name), minutes };
}

function field(least: number, most: number, chanceOfAny: number): Field {
  const pieces: string[] = [];
  const allows: boolean[] = [];
  const add = (text: string, first: number, last: number, step: number): void => {
    pieces.push(text);
    for (let value = first; value <= last; value += step) allows[value] = true;
  };
  const count = random(100) < chanceOfAny ? 0 : 1 + random(3);
  for (let piece = 0; piece < count; piece++) {
    const first = least + random(most - least + 1);
    const last = first + random(most - first + 1);
    const step = 1 + random(Math.min(20, most));
    const kind = random(4);
    if (kind === 0) add(`${first}`, first, first, 1);
    else if (kind === 1) add(`${first}-${last}`, first, last, 1);
    else if (kind === 2) add(`${first}-${last}/${step}`, first, last, step);
    else add(`*/${step}`, least, most, step);
  }
  if (count === 0) add("*", least, most, 1);
  const isAny = allows.filter(Boolean).length === most - least + 1;
  return { text: pieces.join(","), allows, isAny };
}

interface Expression {
  readonly text: string;
  readonly isEveryHour: boolean;
  readonly allows: (face: Face) => boolean;
}

function expression(): Expression {
  const [minute, hour, date, month, day] = [
    field(0, 59, 30),
    field(0, 23, 40),
    field(1, 31, 60),
    field(1, 12, 85),
    field(0, 6, 60),
  ];
  const allows = (shown: Face): boolean => {
    if (!minute.allows[shown.minute] || !hour.allows[shown.hour] || !month.allows[shown.month]) return false;
    const [offDate, offDay] = [!date.allows[shown.date], !day.allows[shown.day]];
    return date.isAny || day.isAny ? !offDate && !offDay : !offDate || !offDay;
  };
  const text = [minute, hour, date, month, day].map((one) => one.text).join(" ");
  return { text, isEveryHour: hour.isAny, allows };
}

/** Every slot of the window, walked minute by minute. */
function walk({ minutes }: Window, { isEveryHour, allows }: Expression): number[] {
  const slots = new Set<number>();
  for (const shown of minutes) {
    if (isEveryHour) {
      if (allows(shown)) slots.add(shown.instant);
      continue;
    }
    // What the clocks skip happens as much later as they were moved.
    for (const [index, skipped] of shown.skipped.entries()) {
      if (allows(skipped)) slots.add(shown.instant + index * minuteMs);
    }
    if (!shown.again && allows(shown)) slots.add(shown.instant);
  }
  return [...slots].sort((a, b) => a - b);
}

describe("cron expressions", () => {
  const opened: Window[] = [];

  beforeAll(async () => {
    for (const window of windows) opened.push(await openWindow(window));
  });

  it(`have the slots that a walk from minute to minute finds, for ${expressions} random ones (P180, P233)`, () => {
    const wrong: string[] = [];
    for (let index = 0; index < expressions; index++) {
      const window = opened[index % opened.length]!;
      const given = expression();
      let cron;
      try {
        cron = parseCron(given.text);
      } catch {
        // 30 and 31 February, and the like.
        expect(walk(window, given)).toEqual([]);
        continue;
      }
      const start = window.minutes[dayMinutes]!.instant;
      const end = window.minutes.at(-1)!.instant;
      const walked = walk(window, given).filter((slot) => slot > start && slot <= end);
      const after = walked.length === 0 ? start : [start, ...walked][random(walked.length)]!;
      const expected = walked.find((slot) => slot > after);
      const found = nextCronSlot(cron, after, window.zone);
      if (expected === undefined ? found !== null && found <= end : found !== expected) {
        wrong.push(
          `${given.text} in ${window.zone.name} after ${new Date(after).toISOString()}: ${String(found)}, not ${String(expected)}`,
        );
      }
    }

    expect(wrong.slice(0, 5)).toEqual([]);
  }, 60_000);
});
