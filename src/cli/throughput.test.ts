import { describe, expect, it } from "vitest";
import type { MinuteRollup } from "../contracts/store.js";
import { rateOf, summarize } from "./throughput.js";

const rollup = (given: Partial<MinuteRollup>): MinuteRollup => ({
  minute: 0,
  queue: "shop",
  succeeded: 0,
  failed: 0,
  busyMs: 0,
  ...given,
});

describe("the rate of info", () => {
  it.each([
    [0, "day", "0.00"],
    [1, "day", "1.00"],
    [24, "day", "24.00"],
    [25, "hour", "1.04"],
    [1_440, "hour", "60.00"],
    [1_441, "minute", "1.00"],
    [86_400, "minute", "60.00"],
    [86_401, "second", "1.00"],
    [864_000, "second", "10.00"],
  ])("is Django Q2's for %i successes a day (P405)", (perDay, per, value) => {
    const rate = rateOf(perDay);

    expect([rate.per, rate.value.toFixed(2)]).toEqual([per, value]);
  });
});

describe("the sums of info", () => {
  it("are 0, and no division by 0, without tasks (P405)", () => {
    expect(summarize([])).toEqual({ successes: 0, failures: 0, rate: { per: "day", value: 0 }, averageSeconds: 0 });
  });

  it("add up all minutes and queues; the average is the mean run time (P405)", () => {
    const day = [
      rollup({ succeeded: 3, failed: 1, busyMs: 400 }),
      rollup({ minute: 60_000, queue: "media", succeeded: 6, busyMs: 600 }),
    ];

    expect(summarize(day)).toMatchObject({ successes: 9, failures: 1, averageSeconds: 0.1 });
  });
});
