import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonPlace } from "./json-place.js";

describe("the place where JSON breaks", () => {
  it.each([
    ["", 0, "a value"],
    ["hello", 0, "a value"],
    ["{a: 1}", 1, "a name in double quotes"],
    ['{"a" 1}', 5, '":"'],
    ['{"a": }', 6, "a value"],
    ['{"a": 1', 7, '"," or "}"'],
    ['{"a": 1,}', 8, "a name in double quotes"],
    ["[1, 2", 5, '"," or "]"'],
    ["[1 2]", 3, '"," or "]"'],
    ["[1,]", 3, "a value"],
    ["[", 1, 'a value or "]"'],
    ["{", 1, "a name"],
    ["[1] 2", 4, "the end"],
    ["01", 1, "the end"],
    ["'a'", 0, "a value"],
    ['["a', 3, "the closing double quote"],
    ['"a\\x"', 2, "an escape"],
    ['"a\nb"', 2, "the closing double quote"],
    ["undefined", 0, "a value"],
    ["[NaN]", 1, "a value"],
    ["[".repeat(100_000), expect.any(Number), ""],
  ])("of %.20j is %s", (text, offset, expected) => {
    const place = jsonPlace(text);

    expect(place?.offset).toEqual(offset);
    expect(place?.expected).toContain(expected);
  });

  it("is nowhere in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        expect(jsonPlace(JSON.stringify(value, null, indent))).toBeUndefined();
      }),
    );
  });

  it("agrees with JSON.parse on every text", () => {
    const nearlyJson = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "]", "}", '"', ":", "1", "\\", " ", "x"))
      .map(
        ([json, at, piece]) => json.slice(0, at % (json.length + 1)) + piece + json.slice((at % (json.length + 1)) + 1),
      );
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect(jsonPlace(text) === undefined).toBe(parses(text));
      }),
      { numRuns: 500 },
    );
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
