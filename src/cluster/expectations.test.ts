import { expect, it } from "vitest";
import { Expectations } from "./expectations.js";

function learned(samples: readonly number[]): number {
  const expectations = new Expectations();
  for (const ms of samples) expectations.learn("t", ms);
  return expectations.of("t")!;
}

it("knows nothing of a name that it has not seen", () => {
  expect(new Expectations().of("t")).toBeUndefined();
  expect(new Expectations().overall).toBeUndefined();
});

it("takes the first sample as it is, and follows a steady one", () => {
  expect(learned([7])).toBe(7);
  expect(learned(Array.from({ length: 100 }, () => 3))).toBeCloseTo(3);
});

it("is not misled by one slow call among quick ones", () => {
  expect(learned([...Array.from({ length: 20 }, () => 1), 2_000])).toBeLessThan(10);
});

it("believes it when a quick task has become slow", () => {
  expect(learned([...Array.from({ length: 20 }, () => 1), ...Array.from({ length: 25 }, () => 2_000)])).toBeGreaterThan(
    1_000,
  );
});
