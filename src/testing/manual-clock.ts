import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../contracts/clock.js";

/** A clock that a test can move. */
export interface TestClock extends Clock {
  /** Moved by the test alone: an hour takes no time. */
  readonly isManual: boolean;
  /** Lets `ms` milliseconds pass. A real clock waits for them. */
  readonly advance: (ms: number) => Promise<void>;
}

/**
 * A clock that stands still until the test moves it. Hand it to what accepts a clock, and no test has to wait.
 *
 * @param start - Wall time at the start, in milliseconds since 1970 or as a date. Default: noon UTC on 1 January 2026.
 */
export function manualClock(start: number | Date = Date.UTC(2026, 0, 1, 12)): TestClock {
  const origin = Number(start);
  let passed = 0;

  return {
    isManual: true,
    now: () => origin + passed,
    monotonic: () => passed,
    async advance(ms) {
      passed += ms;
      // What waits for a callback gets its turn before the test goes on.
      await turn();
    },
  };
}

/** The machine's own clock, for a backend that reads time from its server: `advance` really waits. */
export function realClock(): TestClock {
  return {
    isManual: false,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    advance: (ms) => wait(ms),
  };
}
