import fc from "fast-check";
import { expect, it } from "vitest";
import { formatSize, parseSize } from "./size.js";

it.each([
  ["256KB", 262_144],
  ["1.5MB", 1_572_864],
  ["2GB", 2_147_483_648],
  ["10B", 10],
  ["10 KB", 10_240],
  [4096, 4096],
  ["0B", 0],
])("reads %s", (written, bytes) => {
  expect(parseSize(written)).toBe(bytes);
});

it.each(["", "KB", "10", "-1KB", "10kb", "1e3KB", "10KiB", Number.NaN, Infinity, -1, null, undefined, {}])(
  "refuses %s",
  (written) => {
    expect(parseSize(written)).toBeUndefined();
  },
);

it("reads back what it writes", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toBe(bytes);
    }),
  );
});
