import { describe, expect, it } from "vitest";
import { Pace } from "./pace.js";

/** Looks as often as it may for so long. Returns when each look began. */
function looksOver(ms: number, tookMs: number): number[] {
  const pace = new Pace();
  const begun: number[] = [];
  for (let now = 0; now < ms;) {
    now += pace.delay(now);
    if (now >= ms) break;
    begun.push(now);
    pace.began(now);
    pace.ended(now, now + tookMs);
    now += tookMs;
  }
  return begun;
}

describe("the pace of looks", () => {
  it("lets the look that finds follow the one that began the wait at once", () => {
    expect(looksOver(50, 2).slice(0, 2)).toEqual([0, 2]);
  });

  it.each([
    { tookMs: 0.1, least: 195, most: 205 },
    { tookMs: 2, least: 44, most: 52 },
    { tookMs: 20, least: 4, most: 6 },
  ])("asks for a tenth of the time at most when a look takes $tookMs ms", ({ tookMs, least, most }) => {
    const { length } = looksOver(1_000, tookMs);

    expect(length).toBeGreaterThanOrEqual(least);
    expect(length).toBeLessThanOrEqual(most);
  });

  it("is fresh again after a while without looks", () => {
    const pace = new Pace();
    for (const start of [0, 10, 20]) {
      pace.began(start);
      pace.ended(start, start + 8);
    }

    expect(pace.delay(28)).toBeGreaterThan(50);
    expect(pace.delay(300)).toBe(0);
  });
});
