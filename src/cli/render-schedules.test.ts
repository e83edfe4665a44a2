import { describe, expect, it } from "vitest";
import { targetText } from "./render-schedules.js";

describe("what a schedule opens, on one line (P200, P201)", () => {
  it.each([
    ["core.report", { kind: "task", func: "core.report", funcs: ["core.report"], size: 1 }],
    ["chain a → b", { kind: "chain", func: "chain", funcs: ["a", "b"], size: 2 }],
    [
      "chain a → b → c → d → e → 2 more",
      { kind: "chain", func: "chain", funcs: ["a", "b", "c", "d", "e", "f", "g"], size: 7 },
    ],
    ["batch of a, b", { kind: "batch", func: "batch", funcs: ["a", "b"], size: 2 }],
    ["iterable of a, 1 element", { kind: "iter", func: "a", funcs: ["a"], size: 1 }],
    ["iterable of a, 1,200 elements", { kind: "iter", func: "a", funcs: ["a"], size: 1_200 }],
  ] as const)("is %j", (text, schedule) => {
    expect(targetText(schedule)).toBe(text);
  });
});
