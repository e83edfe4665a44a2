import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recycleTurn } from "./recycle-turn.js";

describe("the number of tasks after which a worker is replaced (P019)", () => {
  it("differs between the first workers, so that they are not replaced in the same moment", () => {
    const turns = [1, 2, 3, 4].map((nth) => recycleTurn(nth, 4, 1_000));

    expect(turns).toEqual([1_000, 875, 750, 625]);
  });

  it("is that of the option for every later worker", () => {
    expect(recycleTurn(5, 4, 1_000)).toBe(1_000);
  });

  it("is never above the option, never below half of it, and 0 only where the option is", () => {
    const number = fc.integer({ min: 1, max: 500 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 0, max: 100_000 }), (nth, size, recycle) => {
        const turn = recycleTurn(nth, size, recycle);
        return Number.isInteger(turn) && turn <= recycle && turn >= recycle / 2 && (turn === 0) === (recycle === 0);
      }),
    );
  });
});
