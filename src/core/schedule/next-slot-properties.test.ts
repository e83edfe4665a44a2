import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { beforeAll, describe, expect, it } from "vitest";
import { nextSlot } from "./next-slot.js";
import { calendarSteps, scheduleTypes, type Rule, type ScheduleType } from "./rule.js";
import { newestSlots, slotsBetween } from "./slots-between.js";
import { instantOf, wallTimeAt, zoneClock, type ZoneClock } from "./zone-clock.js";

const zoneNames = [
  "Europe/Moscow",
  "Europe/Amsterdam",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Sao_Paulo",
  "Asia/Kolkata",
  "Pacific/Apia",
  "Africa/Casablanca",
  "Asia/Tehran",
  "UTC",
];
const zones = new Map<string, ZoneClock>();
const from = Date.UTC(2008, 0, 1);
const years = 20;
const dayMs = 86_400_000;
const crons = ["*/7 * * * *", "30 2 * * *", "0 0 31 * *", "15,45 1-3 * * *", "0 12 L * *", "0 3 * * 1#2", "0 0 29 2 *"];

beforeAll(async () => {
  for (const name of zoneNames) zones.set(name, await zoneClock(name));
});

interface Sample {
  readonly rule: Rule;
  readonly zone: ZoneClock;
  readonly after: number;
}

/** A rule of any type in any of the zones, and a moment of twenty years. */
const samples = fc
  .record({
    type: fc.constantFrom(...scheduleTypes.filter((type) => type !== "ONCE")),
    zoneName: fc.constantFrom(...zoneNames),
    start: fc.integer({ min: 0, max: years * 365 * 24 * 60 }),
    ahead: fc.integer({ min: 0, max: 5 * 365 * 24 * 60 }),
    minutes: fc.integer({ min: 1, max: 100_000 }),
    cron: fc.constantFrom(...crons),
  })
  .map(({ type, zoneName, start, ahead, minutes, cron }): (() => Sample) => () => {
    const zone = zones.get(zoneName)!;
    const anchor = from + start * 60_000;
    const rule = ruleOf(
      type,
      zone,
      calendarSteps[type] === undefined ? anchor : wallTimeAt(zone, anchor),
      minutes,
      cron,
    );
    return { rule, zone, after: anchor + ahead * 60_000 };
  });

function ruleOf(type: ScheduleType, zone: ZoneClock, anchor: number, minutes: number, cron: string): Rule {
  const every = type === "MINUTES" || type === "EVERY" ? { everyMs: minutes * 60_000 } : {};
  const expression = type === "CRON" ? { cron } : {};
  return {
    type,
    timeZone: zone.name,
    anchor,
    ...every,
    ...expression,
    catchUp: "all",
    catchUpLimit: 1,
    overlap: "allow",
  };
}

function steps({ rule, zone, after }: Sample, count: number): number[] {
  const found: number[] = [];
  while (found.length < count) found.push(nextSlot(rule, found.at(-1) ?? after, zone)!);
  return found;
}

/** What the clocks of a zone show, by Temporal alone. */
function shown(instant: number, zone: string): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone).toPlainDateTime();
}

const runs = { numRuns: 1_500 };

describe("slots, over ten zones, twenty years and all types", () => {
  it("are always later than what they are asked after, and than one another (P233)", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { after } = sample();
        const found = steps(sample(), 10);
        expect(found.every((slot, index) => slot > (found[index - 1] ?? after))).toBe(true);
      }),
      runs,
    );
  });

  it("are the same ten at once and one by one, forwards and backwards (P234)", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { rule, zone, after } = sample();
        const found = steps(sample(), 10);
        expect(slotsBetween(rule, after, found[9]!, zone)).toEqual(found);
        expect(newestSlots(rule, after, found[9]!, zone, 4)).toEqual(found.slice(-4));
        expect(nextSlot(rule, found[4]! - 1, zone)).toBe(found[4]);
      }),
      runs,
    );
  });

  it("keep the wall time outside of gaps, and have Temporal's own in them (P224, P230, P231)", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { rule, zone } = sample();
        fc.pre(calendarSteps[rule.type] !== undefined);
        const anchor = shown(rule.anchor, "UTC");
        for (const slot of steps(sample(), 10)) {
          const wallTime = shown(slot, zone.name);
          if (wallTime.toPlainTime().equals(anchor.toPlainTime())) continue;
          const meant = wallTime.toPlainDate().toPlainDateTime(anchor.toPlainTime());
          const days = [meant, meant.subtract({ days: 1 })];
          expect(
            days.map((day) => day.toZonedDateTime(zone.name, { disambiguation: "compatible" }).epochMilliseconds),
          ).toContain(slot);
        }
      }),
      runs,
    );
  });

  it("do not drift: the thousandth is where the calendar says (P228)", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { rule, zone } = sample();
        const step = calendarSteps[rule.type];
        fc.pre(step !== undefined);
        const anchor = shown(rule.anchor, "UTC");
        const first = instantOf(zone, rule.anchor);
        const thousandth = steps({ rule, zone, after: first - 1 }, 1_001).at(-1)!;
        const meant =
          "days" in step! ? anchor.add({ days: 1_000 * step.days }) : anchor.add({ months: 1_000 * step!.months });
        const exact = meant.toZonedDateTime(zone.name, { disambiguation: "compatible" }).epochMilliseconds;
        // A day that a whole country has skipped has no slot of its own.
        const skipped = zone.name === "Pacific/Apia" ? dayMs * 31 * 12 : 0;
        expect(Math.abs(thousandth - exact)).toBeLessThanOrEqual(skipped);
      }),
      { numRuns: 60 },
    );
  });

  it("follow elapsed time exactly for MINUTES, HOURLY and `every` (P223)", () => {
    fc.assert(
      fc.property(samples, (sample) => {
        const { rule } = sample();
        fc.pre(["MINUTES", "HOURLY", "EVERY"].includes(rule.type));
        const every = rule.everyMs ?? 3_600_000;
        expect(steps(sample(), 10).every((slot) => (slot - rule.anchor) % every === 0)).toBe(true);
      }),
      runs,
    );
  });

  it("turn wall times into the instants that Temporal turns them into", () => {
    const moments = fc.record({
      zoneName: fc.constantFrom(...zoneNames),
      minute: fc.integer({ min: 0, max: years * 365 * 24 * 60 }),
    });
    fc.assert(
      fc.property(moments, ({ zoneName, minute }) => {
        const wallTime = from + minute * 60_000;
        const expected = shown(wallTime, "UTC").toZonedDateTime(zoneName, {
          disambiguation: "compatible",
        }).epochMilliseconds;
        expect(instantOf(zones.get(zoneName)!, wallTime)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });
});
