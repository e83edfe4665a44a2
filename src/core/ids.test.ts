import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidIdError } from "../errors.js";
import { humanWords } from "./human-words.js";
import { deriveId, humanize, makeId } from "./ids.js";

const noRandomness = new Uint8Array(10);
const randomness = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("makeId", () => {
  it("is 32 hexadecimal digits in the layout of a UUIDv7, the time first (P059)", () => {
    const now = Date.UTC(2026, 10, 22, 12);

    fc.assert(
      fc.property(fc.nat({ max: 1e9 }), randomness, (later, random) => {
        const id = makeId(now + later, random);

        expect(id).toMatch(/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
      }),
    );
    expect(Number.parseInt(makeId(now + 2e9, noRandomness).slice(0, 12), 16)).toBe(now + 2e9);
  });

  it("ascends within one millisecond, also when the randomness does not change", () => {
    const now = Date.UTC(2027, 0, 1);

    const ids = Array.from({ length: 20_000 }, () => makeId(now, noRandomness));

    expect(ids).toEqual([...new Set(ids)].toSorted());
  });

  it("ascends when the clock steps back by less than ten seconds, and follows it when it steps back further", () => {
    const now = Date.UTC(2028, 0, 1);
    const before = makeId(now, noRandomness);

    const afterSmallStep = makeId(now - 9_000, noRandomness);
    const afterLargeStep = makeId(now - 60_000, noRandomness);

    expect(afterSmallStep > before).toBe(true);
    expect(Number.parseInt(afterLargeStep.slice(0, 12), 16)).toBe(now - 60_000);
  });

  it("asks for all of its random bytes", () => {
    expect(() => makeId(0, new Uint8Array(9))).toThrow("An id takes 10 random bytes; 9 were given.");
  });
});

describe("deriveId", () => {
  it("is the same id each time, another for another part or parent, and sorts beside its parent", () => {
    const parent = makeId(Date.UTC(2029, 0, 1), noRandomness);
    const hook = deriveId(parent, "hook");

    expect(deriveId(parent, "hook")).toBe(hook);
    expect(hook).toMatch(/^[0-9a-f]{32}$/);
    expect(hook.slice(0, 12)).toBe(parent.slice(0, 12));
    expect(new Set([hook, parent, deriveId(parent, "hook:2"), deriveId(hook, "hook")]).size).toBe(4);
  });

  it("makes 32 hexadecimal digits of any parent", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (parent, part) => {
        expect(deriveId(parent, part)).toMatch(/^[0-9a-f]{32}$/);
      }),
    );
  });
});

describe("humanize", () => {
  it("gives the words that Django Q2 gives (P064)", () => {
    expect(humanize("60ad8d0d871b6095808297")).toBe("sodium-magnesium-nineteen-hydrogen");
    expect(humanize("60AD8D0D871B6095808297", 2, " ")).toBe("skylark lithium");
  });

  it("has the word list of Django Q2, word for word (P064)", () => {
    const digest = createHash("sha256").update(humanWords.join(",")).digest("hex");

    expect(digest).toBe("63ba692b525a55de205dbe2fbf1a8963f980790a847907ad0a3f7fbefeccd825");
    expect(new Set(humanWords).size).toBe(256);
    expect(humanWords.join("").length).toBe(1_506);
  });

  it("gives every id four words (P063)", () => {
    fc.assert(
      fc.property(fc.nat(), randomness, (now, random) => {
        expect(humanize(makeId(now, random)).split("-")).toHaveLength(4);
      }),
    );
  });

  it.each([
    ["too short", "abcdef", 4],
    ["an odd number of digits", "abcdef012", 4],
    ["no hexadecimal digits", "not an id", 4],
    ["empty", "", 1],
    ["no words asked for", "abcd", 0],
  ])("refuses an id that is unfit: %s", (_, id, words) => {
    expect(() => humanize(id, words)).toThrow(InvalidIdError);
    expect(() => humanize(id, words)).toThrow(`"${id}" cannot be spelled in ${words} words`);
  });
});
