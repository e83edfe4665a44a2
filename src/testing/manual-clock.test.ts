import { expect, it } from "vitest";
import { manualClock, realClock } from "./manual-clock.js";

it("A manual clock stands still until the test moves it, wall time and monotonic time together", async () => {
  const clock = manualClock(new Date("2026-03-01T10:00:00Z"));
  const before = [clock.now(), clock.monotonic()];

  await clock.advance(1_500);

  expect(before).toEqual([Date.parse("2026-03-01T10:00:00Z"), 0]);
  expect([clock.now(), clock.monotonic()]).toEqual([Date.parse("2026-03-01T10:00:01.500Z"), 1_500]);
});

it("A manual clock lets what waits have its turn before the test goes on", async () => {
  const clock = manualClock();
  let ran = false;
  void Promise.resolve().then(() => (ran = true));

  await clock.advance(1);

  expect(ran).toBe(true);
});

it("A real clock waits when it is told to advance", async () => {
  const clock = realClock();
  const before = clock.monotonic();

  await clock.advance(20);

  expect(clock.monotonic() - before).toBeGreaterThanOrEqual(19);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
});
