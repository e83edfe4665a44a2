import fc from "fast-check";
import { expect, it } from "vitest";
import { joinedTexts } from "./joined-texts.js";

it.each([
  ["texts", ['{"a":"\\n"}', "", "b"], '{"a":"\\n"}\u0001\u0001b'],
  ["texts among NULL", ["a", null, ""], "a\u0001\u0002\u0001"],
  ["nothing but NULL", [null, null], null],
  ["no text at all", [], null],
  ["one empty text, which would read as none", [""], undefined],
  ["a text with the separator in it", ["a", "b\u0001c"], undefined],
  ["a text that stands for NULL", ["a", "\u0002"], undefined],
])("joins %s", (_, values, joined) => {
  expect(joinedTexts(values)).toBe(joined);
});

it("gives different texts for different arrays of one length, or none", () => {
  const text = fc.oneof(fc.string(), fc.constantFrom("", "\u0001", "\u0002", "\u0001\u0002"));
  const pair = fc.integer({ min: 1, max: 4 }).chain((length) => {
    const values = fc.array(fc.option(text), { minLength: length, maxLength: length });
    return fc.tuple(values, values);
  });

  fc.assert(
    fc.property(pair, ([one, other]) => {
      const joined = joinedTexts(one);
      if (joined === undefined || joinedTexts(other) !== joined) return;
      expect(other).toEqual(one);
    }),
  );
});
