import { describe, expect, it } from "vitest";
import { readArguments } from "./read-arguments.js";
import { UsageError } from "./usage-error.js";

describe("the arguments of qluster enqueue", () => {
  it.each([
    [undefined, []],
    ["42", [42]],
    ['"a1"', ["a1"]],
    ['["a1", 300]', ["a1", 300]],
    ["[]", []],
    ["[[1, 2]]", [[1, 2]]],
    ['{"to": "x"}', [{ to: "x" }]],
    ["null", [null]],
  ])("are %j as %j", (text, args) => {
    expect(readArguments(text)).toEqual(args);
  });

  it("show with an arrow where they stop being JSON", () => {
    expect(() => readArguments('["a1", 300')).toThrow(UsageError);
    expect(() => readArguments('["a1", 300')).toThrow(
      [
        'The arguments are no JSON: expected "," or "]" at character 11.',
        '  ["a1", 300',
        "            ^",
        "Write one JSON array in single quotes, for example: '[\"a1\", 300]'. Without them a shell takes the double quotes away.",
      ].join("\n"),
    );
  });

  it("say how a text is written when it came without quotes", () => {
    expect(() => readArguments("hello")).toThrow(`A text needs quotes inside quotes: '"hello"'.`);
  });

  it("show only the part around the place when they are long", () => {
    const text = `[${"1,".repeat(500)}x]`;

    expect(() => readArguments(text)).toThrow(/\n {2}….{30}x]\n {33}\^\n/);
  });

  it("point to the right place after a line feed", () => {
    expect(() => readArguments('{"a":\n x}')).toThrow('  {"a":  x}\n         ^');
  });
});
