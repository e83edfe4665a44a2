/** When a schedule is due: checked, and as it is stored. Times in milliseconds. */
export interface Rule {
  readonly type: ScheduleType;
  /** An IANA name. */
  readonly timeZone: string;
  /**
   * What the slots are counted from: the first slot, or for types that follow the clock its wall time (as the
   * milliseconds since 1970 that UTC would have when its clocks show the same). Not used by CRON.
   */
  readonly anchor: number;
  /** Of MINUTES and EVERY. */
  readonly everyMs?: number;
  readonly cron?: string;
  /** No slot is later than this instant. */
  readonly until?: number;
  /** Tasks start up to so much later than their slot, each schedule and slot by another, fixed part of it. */
  readonly jitterMs?: number;
  readonly catchUp: CatchUp;
  /** With `catchUp: "all"`: so many missed slots at most, the newest. */
  readonly catchUpLimit: number;
  readonly overlap: Overlap;
}

/** What becomes of slots that nobody could fire in time. */
export type CatchUp = "all" | "latest" | "none";

/** What becomes of a slot while a task of an earlier one has not finished. */
export type Overlap = "allow" | "skip" | "queue";

export const scheduleTypes = [
  "ONCE",
  "MINUTES",
  "HOURLY",
  "DAILY",
  "WEEKLY",
  "BIWEEKLY",
  "MONTHLY",
  "BIMONTHLY",
  "QUARTERLY",
  "YEARLY",
  "CRON",
  "EVERY",
] as const;

/** Django Q2's eleven types, and `EVERY` for a duration. */
export type ScheduleType = (typeof scheduleTypes)[number];

/** Django Q2's codes of its types. */
export const typeCodes = {
  ONCE: "O",
  MINUTES: "I",
  HOURLY: "H",
  DAILY: "D",
  WEEKLY: "W",
  BIWEEKLY: "BW",
  MONTHLY: "M",
  BIMONTHLY: "BM",
  QUARTERLY: "Q",
  YEARLY: "Y",
  CRON: "C",
} as const;

/** Types that keep the time on the clock: how many days or months lie between two slots. */
export const calendarSteps: Partial<Record<ScheduleType, { readonly days: number } | { readonly months: number }>> = {
  DAILY: { days: 1 },
  WEEKLY: { days: 7 },
  BIWEEKLY: { days: 14 },
  MONTHLY: { months: 1 },
  BIMONTHLY: { months: 2 },
  QUARTERLY: { months: 3 },
  YEARLY: { months: 12 },
};

/** The distance of slots that follow elapsed time, or `undefined` for the other types. */
export function elapsedStep({ type, everyMs }: Pick<Rule, "type" | "everyMs">): number | undefined {
  if (type === "HOURLY") return 3_600_000;
  return type === "MINUTES" || type === "EVERY" ? everyMs : undefined;
}
