import { beforeAll, describe, expect, it } from "vitest";
import { checkRule, type RuleInput } from "./check-rule.js";
import { nextSlot } from "./next-slot.js";
import type { Rule } from "./rule.js";
import { zoneClock, type ZoneClock } from "./zone-clock.js";

const zones = new Map<string, ZoneClock>();
const names = [
  "UTC",
  "Europe/Amsterdam",
  "America/New_York",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "America/Sao_Paulo",
];

beforeAll(async () => {
  for (const name of names) zones.set(name, await zoneClock(name));
});

/** The rule with its first slot at `first`, and the slots that follow, as instants. */
function slots(input: RuleInput, zoneName: string, first: string, count: number): string[] {
  const zone = zones.get(zoneName)!;
  const now = Date.parse(first);
  const setting = { now, zone, catchUp: "latest", zeroMinutes: false } as const;
  const { rule, firstSlot } = checkRule({ nextRun: new Date(first), ...input }, setting);
  return following(rule, firstSlot, count, zone);
}

function following(rule: Rule, firstSlot: number, count: number, zone: ZoneClock): string[] {
  const found = [firstSlot];
  while (found.length < count) {
    const next = nextSlot(rule, found.at(-1)!, zone);
    if (next === null) break;
    found.push(next);
  }
  return found.map((slot) => new Date(slot).toISOString().replace(/:00\.000Z$/, "Z"));
}

const cases: readonly [title: string, input: RuleInput, zone: string, expected: readonly string[]][] = [
  ["runs once at its time and never again (P177)", { type: "ONCE" }, "UTC", ["2026-01-01T12:10Z"]],
  [
    "runs every five minutes (P178)",
    { type: "MINUTES", minutes: 5 },
    "UTC",
    ["2026-01-01T12:00Z", "2026-01-01T12:05Z", "2026-01-01T12:10Z"],
  ],
  [
    "runs every minute when minutes are left out (P178)",
    { type: "MINUTES" },
    "UTC",
    ["2026-01-01T12:00Z", "2026-01-01T12:01Z"],
  ],
  [
    "adds elapsed time for MINUTES through a gap of the clocks (P223)",
    { type: "MINUTES", minutes: 30 },
    "Europe/Amsterdam",
    ["2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"],
  ],
  [
    "adds elapsed time for HOURLY through a repeated hour (P223)",
    { type: "HOURLY" },
    "Europe/Amsterdam",
    ["2026-10-24T23:30Z", "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"],
  ],
  [
    "runs every 45 seconds (P197)",
    { every: "45s" },
    "UTC",
    ["2026-01-01T12:00Z", "2026-01-01T12:00:45.000Z", "2026-01-01T12:01:30.000Z"],
  ],
  [
    "keeps the wall time of DAILY over a change of the clocks (P224)",
    { type: "DAILY" },
    "Europe/Amsterdam",
    ["2026-03-28T11:00Z", "2026-03-29T10:00Z", "2026-03-30T10:00Z"],
  ],
  [
    "keeps the wall time of DAILY over a change by half an hour (P224)",
    { type: "DAILY" },
    "Australia/Lord_Howe",
    ["2026-10-03T01:30Z", "2026-10-04T01:00Z", "2026-10-05T01:00Z"],
  ],
  [
    "keeps the wall time of WEEKLY (P224)",
    { type: "WEEKLY" },
    "Europe/Amsterdam",
    ["2026-03-25T11:00Z", "2026-04-01T10:00Z", "2026-04-08T10:00Z"],
  ],
  [
    "keeps the wall time of BIWEEKLY (P224)",
    { type: "BIWEEKLY" },
    "Europe/Amsterdam",
    ["2026-03-25T11:00Z", "2026-04-08T10:00Z", "2026-04-22T10:00Z"],
  ],
  [
    "keeps the wall time of BIMONTHLY (P224)",
    { type: "BIMONTHLY" },
    "Europe/Amsterdam",
    ["2026-01-15T11:00Z", "2026-03-15T11:00Z", "2026-05-15T10:00Z"],
  ],
  [
    "keeps the wall time of QUARTERLY (P224)",
    { type: "QUARTERLY" },
    "Europe/Amsterdam",
    ["2026-01-15T11:00Z", "2026-04-15T10:00Z", "2026-07-15T10:00Z"],
  ],
  [
    "clamps a month that is too short, and comes back (P225, P228)",
    { type: "MONTHLY" },
    "UTC",
    ["2026-01-31T03:00Z", "2026-02-28T03:00Z", "2026-03-31T03:00Z", "2026-04-30T03:00Z", "2026-05-31T03:00Z"],
  ],
  [
    "clamps 29 February in other years, and comes back to it (P226, P228)",
    { type: "YEARLY" },
    "UTC",
    ["2024-02-29T03:00Z", "2025-02-28T03:00Z", "2026-02-28T03:00Z", "2027-02-28T03:00Z", "2028-02-29T03:00Z"],
  ],
  [
    "counts months by the local date (P229)",
    { type: "MONTHLY" },
    "Europe/Amsterdam",
    ["2026-01-30T23:30Z", "2026-02-27T23:30Z", "2026-03-30T22:30Z"],
  ],
  [
    "keeps the wall time of YEARLY (P230)",
    { type: "YEARLY" },
    "America/New_York",
    // In 2027 the clocks change on 14 March, in the other years before the 12th.
    ["2026-03-12T16:00Z", "2027-03-12T17:00Z", "2028-03-12T16:00Z"],
  ],
  [
    "shifts a wall time in a gap on that day, and has its own time afterwards (P231)",
    { type: "DAILY" },
    "Europe/Amsterdam",
    ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z", "2026-03-31T00:30Z"],
  ],
  [
    "shifts a wall time in a gap of half an hour (P231)",
    { type: "DAILY" },
    "Australia/Lord_Howe",
    ["2026-10-02T15:45Z", "2026-10-03T15:45Z", "2026-10-04T15:15Z"],
  ],
  [
    "runs once, on the first pass, at a wall time that comes twice (P232)",
    { type: "DAILY" },
    "Europe/Amsterdam",
    ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"],
  ],
  [
    "lives through a day that a whole country skipped (P231)",
    { type: "DAILY" },
    "Pacific/Apia",
    ["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"],
  ],
  [
    "shifts midnight where the clocks change at midnight (P231)",
    { type: "DAILY" },
    "America/Sao_Paulo",
    ["2018-11-03T03:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"],
  ],
];

describe("the next slot", () => {
  it.each(cases)("%s", (_, input, zone, expected) => {
    const first = /^\S{16}/.exec(expected[0]!)![0];

    expect(slots(input, zone, `${first}Z`, Math.max(2, expected.length))).toEqual(expected);
  });

  it.each([
    [
      "five fields: 22:00 on weekdays (P179)",
      "0 22 * * 1-5",
      ["2026-01-01T22:00Z", "2026-01-02T22:00Z", "2026-01-05T22:00Z"],
    ],
    ["names of days and months (P180)", "0 9 * feb mon", ["2026-02-02T09:00Z", "2026-02-09T09:00Z"]],
    ["7 as Sunday (P180)", "0 9 * * 7", ["2026-01-04T09:00Z", "2026-01-11T09:00Z"]],
    [
      "a week that ends with its Sunday (P180)",
      "0 9 * * fri-sun",
      ["2026-01-02T09:00Z", "2026-01-03T09:00Z", "2026-01-04T09:00Z", "2026-01-09T09:00Z"],
    ],
    [
      "lists, ranges and steps (P180)",
      "5,10-20/5,50 13 * * *",
      ["2026-01-01T13:05Z", "2026-01-01T13:10Z", "2026-01-01T13:15Z", "2026-01-01T13:20Z", "2026-01-01T13:50Z"],
    ],
    ["a step from a value on (P180)", "5/25 13 * * *", ["2026-01-01T13:05Z", "2026-01-01T13:30Z", "2026-01-01T13:55Z"]],
    ["@hourly (P180)", "@hourly", ["2026-01-01T13:00Z", "2026-01-01T14:00Z"]],
    ["@daily (P180)", "@daily", ["2026-01-02T00:00Z", "2026-01-03T00:00Z"]],
    ["@weekly (P180)", "@weekly", ["2026-01-04T00:00Z", "2026-01-11T00:00Z"]],
    ["@monthly (P180)", "@monthly", ["2026-02-01T00:00Z", "2026-03-01T00:00Z"]],
    ["@yearly (P180)", "@yearly", ["2027-01-01T00:00Z", "2028-01-01T00:00Z"]],
    ["L: the last day of the month (P180)", "0 0 L * *", ["2026-01-31T00:00Z", "2026-02-28T00:00Z"]],
    ["L5: the last Friday (P180)", "0 0 * * L5", ["2026-01-30T00:00Z", "2026-02-27T00:00Z"]],
    ["5L: the last Friday (P180)", "0 0 * * 5L", ["2026-01-30T00:00Z", "2026-02-27T00:00Z"]],
    ["5#2: the second Friday (P180)", "0 0 * * 5#2", ["2026-01-09T00:00Z", "2026-02-13T00:00Z"]],
    [
      "both day fields: either matches (P180)",
      "0 0 13 * 5",
      ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"],
    ],
    [
      "a sixth field: seconds, last (P180)",
      "0 13 * * * 15,45",
      ["2026-01-01T13:00:15.000Z", "2026-01-01T13:00:45.000Z"],
    ],
    ["29 February (P180)", "0 0 29 2 *", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]],
  ])("of a cron expression knows %s", (_, cron, expected) => {
    expect(slots({ type: "CRON", cron }, "UTC", "2026-01-01T12:30:00Z", expected.length)).toEqual(expected);
  });

  it.each([
    [
      "shifts fixed hours in a gap (P233)",
      "30 2 * * *",
      "2026-03-28T12:00Z",
      ["2026-03-29T01:30Z", "2026-03-30T00:30Z"],
    ],
    [
      "shifts every time of a skipped hour (P233)",
      "*/20 2 * * *",
      "2026-03-29T00:30Z",
      ["2026-03-29T01:00Z", "2026-03-29T01:20Z", "2026-03-29T01:40Z", "2026-03-30T00:00Z"],
    ],
    [
      "has one slot where a shifted time meets another (P233)",
      "0 2,3 * * *",
      "2026-03-29T00:30Z",
      ["2026-03-29T01:00Z", "2026-03-30T00:00Z"],
    ],
    [
      "has no slot in a gap when it runs in every hour (P233)",
      "30 * * * *",
      "2026-03-29T00:00Z",
      ["2026-03-29T00:30Z", "2026-03-29T01:30Z"],
    ],
    [
      "runs fixed hours once in a repeated hour (P233)",
      "30 2 * * *",
      "2026-10-24T23:00Z",
      ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
    ],
    [
      "finds nothing in the second pass of a repeated hour for fixed hours (P233)",
      "30 2 * * *",
      "2026-10-25T01:10Z",
      ["2026-10-26T01:30Z"],
    ],
    [
      "runs in both passes when it runs in every hour (P233)",
      "30 */1 * * *",
      "2026-10-24T23:50Z",
      ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"],
    ],
  ])("of a cron expression %s", (_, cron, first, expected) => {
    expect(slots({ type: "CRON", cron }, "Europe/Amsterdam", first, expected.length)).toEqual(expected);
  });

  it("of a cron expression in a zone that moves by half an hour skips what does not exist (P233)", () => {
    const expected = ["2026-10-03T14:45Z", "2026-10-03T16:15Z", "2026-10-03T17:15Z"];

    expect(slots({ type: "CRON", cron: "15 * * * *" }, "Australia/Lord_Howe", "2026-10-03T14:00Z", 3)).toEqual(
      expected,
    );
  });

  it("is never later than `until` (P197)", () => {
    const until = new Date("2026-01-01T12:02:00Z");

    expect(slots({ type: "MINUTES", until }, "UTC", "2026-01-01T12:00Z", 9)).toHaveLength(3);
  });

  it("is at the time of the day that was asked for, from today or tomorrow on", () => {
    const setting = {
      now: Date.parse("2026-01-01T12:00Z"),
      zone: zones.get("Europe/Amsterdam")!,
      catchUp: "latest",
      zeroMinutes: false,
    } as const;

    const first = (at: string): string => new Date(checkRule({ type: "DAILY", at }, setting).firstSlot).toISOString();

    expect(first("15:30")).toBe("2026-01-01T14:30:00.000Z");
    expect(first("03:00")).toBe("2026-01-02T02:00:00.000Z");
  });

  it("comes back to a time of the day that the first day skips (P231)", () => {
    const zone = zones.get("Europe/Amsterdam")!;
    const setting = { now: Date.parse("2026-03-29T00:00Z"), zone, catchUp: "latest", zeroMinutes: false } as const;

    const { rule, firstSlot } = checkRule({ type: "DAILY", at: "02:30" }, setting);

    expect(following(rule, firstSlot, 2, zone)).toEqual(["2026-03-29T01:30Z", "2026-03-30T00:30Z"]);
  });
});
