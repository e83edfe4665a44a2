import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dispatchLimits, mayTake, nextTurn, wanted } from "./dispatch.js";

describe("mayTake", () => {
  it.each([
    ["a free place", { places: 1, held: 0, backlogMs: 0, stalled: false }, undefined, true],
    ["no free place, and a name not seen yet", { places: 1, held: 1, backlogMs: 0, stalled: false }, undefined, false],
    ["no free place, and a quick task", { places: 1, held: 1, backlogMs: 0.1, stalled: false }, 0.1, true],
    ["no free place, and a slow task", { places: 1, held: 1, backlogMs: 0, stalled: false }, 2_000, false],
    ["a task that takes longer than expected", { places: 1, held: 1, backlogMs: 0.1, stalled: true }, 0.1, false],
    ["a backlog that is long enough", { places: 1, held: 40, backlogMs: 20, stalled: false }, 0.5, false],
    ["as many as a worker may hold", { places: 1, held: 129, backlogMs: 0, stalled: false }, 0, false],
  ])("decides with %s", (_, load, expectedMs, answer) => {
    expect(mayTake(load, expectedMs)).toBe(answer);
  });
});

describe("wanted", () => {
  const idle = { freePlaces: 4, places: 4, inHand: 0, averageMs: undefined, limit: 1_000 };

  it.each([
    ["nothing is known: what has a place", idle, 4],
    ["nothing is free and tasks are slow: nothing", { ...idle, freePlaces: 0, averageMs: 2_000 }, 0],
    ["tasks are slow and one place is free: that one", { ...idle, freePlaces: 1, averageMs: 2_000 }, 1],
    ["tasks are quick: a full take", { ...idle, freePlaces: 0, averageMs: 0.05 }, dispatchLimits.take],
    ["a refill would be small: nothing yet", { ...idle, freePlaces: 0, averageMs: 1, inHand: 100 }, 0],
    ["memory is nearly full: what fits", { ...idle, averageMs: 0.05, limit: 3 }, 3],
  ])("asks for what is right when %s", (_, state, count) => {
    expect(wanted(state)).toBe(count);
  });

  it("never asks for more than fits, nor for a part of a message", () => {
    const state = fc.record({
      freePlaces: fc.nat(64),
      places: fc.integer({ min: 1, max: 64 }),
      inHand: fc.nat(2_000),
      averageMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
      limit: fc.integer({ min: 1, max: 1_000 }),
    });

    fc.assert(
      fc.property(state, (given) => {
        const count = wanted(given);

        return Number.isInteger(count) && count >= 0 && count <= given.limit && count <= dispatchLimits.take;
      }),
    );
  });
});

describe("nextTurn", () => {
  it("gives each queue its share of first places, evenly spread", () => {
    const weights = new Map([
      ["default", 3],
      ["media", 1],
    ]);
    const credit = new Map<string, number>();

    const firsts = Array.from({ length: 8 }, () => nextTurn(weights, credit)[0]);

    expect(firsts).toEqual(["default", "default", "media", "default", "default", "default", "media", "default"]);
  });

  it("names every queue in every turn, so that one with work is never passed over (P322)", () => {
    const weights = new Map([
      ["a", 100],
      ["b", 1],
    ]);

    expect(nextTurn(weights, new Map()).toSorted()).toEqual(["a", "b"]);
  });
});
