import { ScheduleError } from "../../errors.js";
import { parseDuration } from "../duration.js";
import { nearest } from "../names.js";
import { quote } from "../quote.js";
import type { Duration } from "../task-types.js";
import { nextSlot } from "./next-slot.js";
import { parseCron } from "./parse-cron.js";
import { calendarSteps, scheduleTypes, typeCodes } from "./rule.js";
import type { CatchUp, Overlap, Rule, ScheduleType } from "./rule.js";
import { instantOf, wallTimeAt, type ZoneClock } from "./zone-clock.js";

/** A rule as it is written. */
export interface RuleInput {
  /** A type, or Django Q2's code of one. */
  readonly type?: string | undefined;
  readonly minutes?: number | undefined;
  readonly every?: Duration | undefined;
  readonly cron?: string | undefined;
  readonly at?: string | undefined;
  readonly nextRun?: Date | undefined;
  readonly until?: Date | undefined;
  readonly jitter?: Duration | undefined;
  readonly catchUp?: CatchUp | undefined;
  readonly catchUpLimit?: number | undefined;
  readonly overlap?: Overlap | undefined;
}

export interface RuleSetting {
  /** In milliseconds since 1970. */
  readonly now: number;
  /** The clocks of the rule's zone. */
  readonly zone: ZoneClock;
  /** For rules that do not say. */
  readonly catchUp: CatchUp;
  /** MINUTES with 0 means 1, as in Django Q2. */
  readonly zeroMinutes: boolean;
}

export interface CheckedRule {
  readonly rule: Rule;
  readonly firstSlot: number;
}

/** Missed slots that are caught up at most, unless a rule says otherwise. */
const usualLimit = 1_000;
const mostCaughtUp = 10_000;
/** Slots come no closer than this, in milliseconds: schedules are exact to a second. */
const leastEveryMs = 1_000;
const dayMs = 86_400_000;

/**
 * Checks a rule and finds its first slot.
 *
 * @throws {ScheduleError} that names the field, quotes what it has and says what belongs there.
 */
export function checkRule(input: RuleInput, setting: RuleSetting): CheckedRule {
  const type = checkType(input);
  refuseForeign(input, type);
  const now = Math.floor(setting.now / 1_000) * 1_000;
  const nextRun = instantFrom(input.nextRun, "nextRun");
  const until = instantFrom(input.until, "until");
  const plain: Rule = {
    type,
    timeZone: setting.zone.name,
    anchor: 0,
    ...everyOf(input, type, setting),
    ...(type === "CRON" ? { cron: cronOf(input.cron) } : {}),
    ...(until === undefined ? {} : { until }),
    ...jitterOf(input),
    catchUp: oneOf(input.catchUp, "catchUp", ["all", "latest", "none"]) ?? setting.catchUp,
    catchUpLimit: limitOf(input.catchUpLimit),
    overlap: oneOf(input.overlap, "overlap", ["allow", "skip", "queue"]) ?? "allow",
  };
  const checked = anchored(plain, input.at, nextRun ?? now, setting);
  checkUntil(until, checked.firstSlot, setting.now);
  return checked;
}

function anchored(rule: Rule, at: string | undefined, first: number, { now, zone }: RuleSetting): CheckedRule {
  if (rule.type === "CRON") return anchoredCron(rule, Math.max(now, first - 1), zone);
  if (calendarSteps[rule.type] === undefined) return { rule: { ...rule, anchor: first }, firstSlot: first };
  const wallTime = wallTimeAt(zone, first);
  if (at === undefined) return { rule: { ...rule, anchor: wallTime }, firstSlot: first };
  const today = Math.floor(wallTime / dayMs) * dayMs + timeOf(at);
  const anchor = instantOf(zone, today) < first ? today + dayMs : today;
  return { rule: { ...rule, anchor }, firstSlot: instantOf(zone, anchor) };
}

function anchoredCron(rule: Rule, after: number, zone: ZoneClock): CheckedRule {
  const firstSlot = nextSlot({ ...rule, anchor: 0 }, after, zone);
  if (firstSlot !== null) return { rule: { ...rule, anchor: firstSlot }, firstSlot };
  throw new ScheduleError(
    "until",
    `The cron expression ${quote(rule.cron)} has no slot before \`until\`. Give it more time.`,
  );
}

function checkType({ type, every, cron }: RuleInput): ScheduleType {
  if (type === undefined) {
    if (every !== undefined) return "EVERY";
    return cron === undefined ? "ONCE" : "CRON";
  }
  if (typeof type !== "string") throw noType(type, undefined);
  const byCode = Object.entries(typeCodes).find(([, code]) => code === type)?.[0];
  const found = scheduleTypes.find((known) => known === (byCode ?? type));
  if (found !== undefined) return found;
  throw noType(type, nearest(type, scheduleTypes));
}

function noType(type: unknown, near: string | undefined): ScheduleError {
  const advice = near === undefined ? `Types are ${scheduleTypes.join(", ")}.` : `Did you mean "${near}"?`;
  return new ScheduleError("type", `There is no schedule type ${quote(type)}. ${advice}`);
}

/** Which types a field belongs to. */
const belongsTo = {
  minutes: ["MINUTES"],
  every: ["EVERY"],
  cron: ["CRON"],
  at: Object.keys(calendarSteps),
} as const;

function refuseForeign(input: RuleInput, type: ScheduleType): void {
  for (const [field, types] of Object.entries(belongsTo)) {
    const value = input[field as keyof typeof belongsTo];
    if (value === undefined || (types as readonly string[]).includes(type)) continue;
    throw new ScheduleError(
      field,
      `The field ${field} (${quote(value)}) does not belong to the type ${type}. ` +
        `It belongs to ${types.join(", ")}; change \`type\`, or leave ${field} out.`,
    );
  }
}

function everyOf(input: RuleInput, type: ScheduleType, { zeroMinutes }: RuleSetting): { readonly everyMs?: number } {
  if (type === "MINUTES") return { everyMs: minutesOf(input.minutes, zeroMinutes) * 60_000 };
  if (type !== "EVERY") return {};
  if (input.every === undefined)
    throw new ScheduleError("every", 'The type EVERY needs the field every, such as "45s".');
  const everyMs = parseDuration(input.every, "every");
  if (everyMs >= leastEveryMs) return { everyMs };
  throw new ScheduleError(
    "every",
    `The field every is ${quote(input.every)}; expected at least one second, such as "45s".`,
  );
}

function minutesOf(minutes: unknown, zeroMinutes: boolean): number {
  if (minutes === undefined || (minutes === 0 && zeroMinutes)) return 1;
  if (Number.isSafeInteger(minutes) && (minutes as number) >= 1 && (minutes as number) <= 525_600_000)
    return minutes as number;
  throw new ScheduleError(
    "minutes",
    `The field minutes is ${quote(minutes)}; expected a whole number of at least 1. Leave it out for every minute.`,
  );
}

function cronOf(cron: unknown): string {
  if (typeof cron !== "string" || cron.trim() === "") {
    const given = cron === undefined ? "has none" : `has ${quote(cron)}`;
    throw new ScheduleError(
      "cron",
      `The type CRON needs an expression, and this schedule ${given}. Give one, such as "0 22 * * 1-5".`,
    );
  }
  parseCron(cron);
  return cron.trim();
}

/** A time of the day, in milliseconds since midnight. */
export function timeOf(at: unknown): number {
  const parts = typeof at === "string" ? /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(at) : null;
  const [hours, minutes, seconds] = [parts?.[1], parts?.[2], parts?.[3] ?? "0"].map(Number) as [number, number, number];
  if (hours < 24 && minutes < 60 && seconds < 60) return ((hours * 60 + minutes) * 60 + seconds) * 1_000;
  throw new ScheduleError(
    "at",
    `The field at is ${quote(at)}; expected a time of the day from 00:00 to 23:59, such as "03:00".`,
  );
}

function instantFrom(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  throw new ScheduleError(field, `The field ${field} is ${quote(value)}; expected a Date that is valid.`);
}

function jitterOf({ jitter }: RuleInput): { readonly jitterMs?: number } {
  if (jitter === undefined) return {};
  const jitterMs = parseDuration(jitter, "jitter");
  return jitterMs === 0 ? {} : { jitterMs };
}

function limitOf(limit: unknown): number {
  if (limit === undefined) return usualLimit;
  if (Number.isSafeInteger(limit) && (limit as number) >= 1 && (limit as number) <= mostCaughtUp)
    return limit as number;
  throw new ScheduleError(
    "catchUpLimit",
    `The field catchUpLimit is ${quote(limit)}; expected a whole number from 1 to ${mostCaughtUp}.`,
  );
}

function oneOf<T extends string>(value: T | undefined, field: string, allowed: readonly T[]): T | undefined {
  if (value === undefined || allowed.includes(value)) return value;
  throw new ScheduleError(field, `The field ${field} is ${quote(value)}; expected one of ${allowed.join(", ")}.`);
}

function checkUntil(until: number | undefined, firstSlot: number, now: number): void {
  if (until === undefined) return;
  if (until <= now) {
    throw new ScheduleError(
      "until",
      `The field until is ${new Date(until).toISOString()}, which is in the past. Give a later one.`,
    );
  }
  if (firstSlot > until) {
    throw new ScheduleError(
      "until",
      `The first slot, ${new Date(firstSlot).toISOString()}, is later than \`until\`, ${new Date(until).toISOString()}, ` +
        "so it would never run. Give a later `until` or an earlier `nextRun`.",
    );
  }
}
