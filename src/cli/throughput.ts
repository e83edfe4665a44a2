import type { MinuteRollup } from "../contracts/store.js";

export interface Throughput {
  /** Successes of the last 24 hours. */
  readonly successes: number;
  readonly failures: number;
  readonly rate: Rate;
  /** Mean run time of a finished task, in seconds; 0 without tasks. */
  readonly averageSeconds: number;
}

export interface Rate {
  readonly per: "second" | "minute" | "hour" | "day";
  readonly value: number;
}

export const dayMs = 86_400_000;

/** Sums the rollups of one day up. @param day - Rollups from 24 hours ago on. */
export function summarize(day: readonly MinuteRollup[]): Throughput {
  const sum = (pick: (rollup: MinuteRollup) => number) => day.reduce((total, each) => total + pick(each), 0);
  const successes = sum((each) => each.succeeded);
  const failures = sum((each) => each.failed);
  const finished = successes + failures;
  const averageSeconds = finished === 0 ? 0 : sum((each) => each.busyMs) / finished / 1_000;
  return { successes, failures, rate: rateOf(successes), averageSeconds };
}

/**
 * Successes of one day in the unit that makes a number above 1 of them.
 * Counterpart in Django Q2: the `Tasks/<unit>` of `qinfo`.
 */
export function rateOf(perDay: number): Rate {
  if (perDay > 24 * 60 * 60) return { per: "second", value: perDay / 24 / 60 / 60 };
  if (perDay > 24 * 60) return { per: "minute", value: perDay / 24 / 60 };
  if (perDay > 24) return { per: "hour", value: perDay / 24 };
  return { per: "day", value: perDay };
}
