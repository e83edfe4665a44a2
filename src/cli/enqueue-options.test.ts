import { describe, expect, it } from "vitest";
import { enqueueOptions, waitOf } from "./enqueue-options.js";
import { flagsFrom } from "./flags.js";
import { showValue, toJson } from "./show-value.js";

describe("the flags of enqueue", () => {
  it("become the task's options (P070, P071, P077, P090, P091)", () => {
    const flags = flagsFrom({
      queue: "media",
      group: "g1",
      hook: "tasks.onDone",
      delay: "5m",
      priority: "-5",
      sync: true,
    });

    expect(enqueueOptions(flags)).toEqual({
      queue: "media",
      group: "g1",
      hook: "tasks.onDone",
      delay: 300_000,
      priority: -5,
      sync: true,
    });
  });

  it("leave to the task what was not given", () => {
    expect(Object.values(enqueueOptions(flagsFrom({})))).toEqual(Array.from({ length: 6 }));
  });

  it.each(["101", "-101", "1.5", "high", ""])("refuse the priority %j", (priority) => {
    expect(() => enqueueOptions(flagsFrom({ priority }))).toThrow(`--priority is "${priority}"`);
  });

  it.each(["500", "5 min", "soon", "-1s"])("refuse the delay %j, naming the flag", (delay) => {
    expect(() => enqueueOptions(flagsFrom({ delay }))).toThrow("--delay");
  });

  it.each([
    [undefined, undefined],
    ["", Infinity],
    ["10s", 10_000],
    ["1.5m", 90_000],
  ])("read --wait %j as %s ms", (wait, ms) => {
    expect(waitOf(flagsFrom({ wait }))).toBe(ms);
  });
});

describe("a result", () => {
  it("is shown whole", () => {
    const deep = { a: { b: { c: { d: { e: 1 } } } }, list: Array.from({ length: 200 }, (_, index) => index) };

    expect(showValue(deep, false)).toContain("e: 1");
    expect(showValue(deep, false)).not.toContain("more items");
  });

  it("becomes what comes nearest in JSON", () => {
    const value = { big: 12n, map: new Map([["a", 1]]), set: new Set([1]), at: new Date(0) };

    expect(JSON.parse(toJson(value))).toEqual({ big: "12", map: [["a", 1]], set: [1], at: "1970-01-01T00:00:00.000Z" });
  });
});
