import type { Schedules } from "../../contracts/schedules.js";
import { ScheduleError } from "../../errors.js";

/**
 * The schedules of a store that cannot keep any in this version: there are none, and none can be made. A cluster on it runs
 * tasks as on any other.
 *
 * @param backend - Its name for people.
 */
export function noSchedules(backend: string): Schedules {
  const refuse = (): never => {
    throw new ScheduleError(
      "database",
      `Schedules are not there yet on ${backend}. Keep the project on SQLite or PostgreSQL, or call asyncTask by a timer of your own.`,
    );
  };
  return {
    insert: async () => refuse(),
    change: async (changes) => (changes.length === 0 ? [] : refuse()),
    find: async () => undefined,
    list: async () => [],
    due: async () => ({ now: 0, schedules: [], nextInMs: null }),
    runs: async () => [],
    counts: async () => ({ all: 0, paused: 0, broken: 0, nextRun: null }),
    watch: () => () => {},
  };
}
