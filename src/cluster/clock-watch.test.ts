import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Logger } from "../contracts/logger.js";
import { startClockWatch } from "./clock-watch.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("says once that clocks differ, and again when they differ anew; an outage is not its business", async () => {
  const said: string[] = [];
  const logger = { warn: (text: string) => said.push(text) } as unknown as Logger;
  const theirs = [10_000, 10_000, 70_000, new Error("away"), 10_000];
  const now = async (): Promise<number> => {
    const next = theirs.shift();
    if (next === undefined || next instanceof Error) throw next ?? new Error("over");
    return next;
  };

  const stop = startClockWatch({ now }, logger, () => 70_000);
  const counts: number[] = [];
  for (let minute = 0; minute < 5; minute += 1) {
    await vi.advanceTimersByTimeAsync(minute === 0 ? 0 : 60_000);
    counts.push(said.length);
  }
  stop();

  expect(counts).toEqual([1, 1, 1, 1, 2]);
  expect(said[0]).toBe("This machine's clock is 1m ahead of the database's. Let both follow a time server.");
  expect(vi.getTimerCount()).toBe(0);
});
