import { expect, it } from "vitest";
import { clockSkew, skewText } from "./clock-skew.js";

it.each([
  ["agree", 1_000, 1_005, 1_010, 0],
  ["differ less than a second", 1_900, 1_000, 1_910, 0],
  ["cannot be told apart from a slow answer", 0, 4_000, 5_000, 0],
  ["differ: ours is ahead", 10_000, 5_000, 10_010, 5_000],
  ["differ: ours is behind", 1_000, 9_000, 1_500, -7_500],
])("clocks that %s", (_, before, theirs, after, aheadMs) => {
  expect(clockSkew(before, theirs, after)).toBe(aheadMs);
});

it("says by how much, and which way", () => {
  expect(skewText(-90_040)).toBe("This machine's clock is 1m 30s behind the database's.");
  expect(skewText(1_240)).toBe("This machine's clock is 1s 200ms ahead of the database's.");
});
