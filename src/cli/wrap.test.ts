import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wrap } from "./wrap.js";

describe("a text that is longer than the terminal is wide", () => {
  it("is broken between words, and goes on under its start", () => {
    const text = "A power cut loses nothing that was confirmed before it.";

    expect(wrap(text, 4, 36)).toBe("A power cut loses nothing that\n    was confirmed before it.");
  });

  it.each([
    ["nobody looks", 4, undefined],
    ["there is hardly any room", 20, 40],
    ["it fits", 4, 80],
  ])("is left as it is when %s", (_, indent, columns) => {
    const text = "Nothing of this is broken into lines.";

    expect(wrap(text, indent, columns)).toBe(text);
  });

  it("keeps every word, and goes beyond the edge for one long word only", () => {
    const word = fc.stringMatching(/^[a-z]{1,40}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 0, max: 10 }), (words, indent) => {
        const lines = wrap(words.join(" "), indent, 50).split(`\n${" ".repeat(indent)}`);
        expect(lines.join(" ")).toBe(words.join(" "));
        for (const line of lines) expect(line.length <= 50 - indent || !line.includes(" ")).toBe(true);
      }),
    );
  });
});
