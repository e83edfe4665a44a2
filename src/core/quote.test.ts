import fc from "fast-check";
import { expect, it } from "vitest";
import { quote } from "./quote.js";

const circular: { self?: unknown } = {};
circular.self = circular;

it.each<[unknown, string]>([
  ["5 min", '"5 min"'],
  ["a\nb", '"a\\nb"'],
  ["x".repeat(70), `"${"x".repeat(57)}..."`],
  [5, "5"],
  [Number.NaN, "NaN"],
  [undefined, "undefined"],
  [null, "null"],
  [10n, "a bigint (10)"],
  [() => 1, "a function"],
  [{ a: 1 }, '{"a":1}'],
  [["x".repeat(70)], `["${"x".repeat(55)}...`],
  [circular, "an object"],
  [{ toJSON: () => undefined }, "an object"],
  [new Date(Number.NaN), "a Date (Invalid Date)"],
])("shows %o", (value, shown) => {
  expect(quote(value)).toBe(shown);
});

it("keeps anything short and on one line", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(quote(value)).not.toContain("\n");
    }),
  );
});
