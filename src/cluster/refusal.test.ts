import { describe, expect, it } from "vitest";
import type { Entry } from "./entry.js";
import { refusalOf, unknownDelay } from "./refusal.js";

function entry(delivery: Partial<Entry["delivery"]>, attempts = 3): Entry {
  return { delivery: { deliveries: 1, attempts: 0, expired: false, ...delivery }, policy: { attempts } } as Entry;
}

describe("refusalOf", () => {
  it("lets an ordinary message start", () => {
    expect(refusalOf(entry({}), 20)).toBeUndefined();
  });

  it("ends one that has expired, without an attempt", () => {
    expect(refusalOf(entry({ expired: true }), 20)).toMatchObject({ to: "expired" });
  });

  it("sets aside as poison what was handed out too often and never ended", () => {
    expect(refusalOf(entry({ deliveries: 21 }), 20)).toMatchObject({ to: "failed", error: { dead: "poison" } });
  });

  it("fails one whose last attempt was lost with its cluster", () => {
    expect(refusalOf(entry({ attempts: 3 }), 20)).toMatchObject({ to: "failed", error: { name: "LostError" } });
  });

  it("never uses up a task that may be tried for ever", () => {
    expect(refusalOf(entry({ attempts: 99 }, 0), 20)).toBeUndefined();
  });
});

describe("unknownDelay", () => {
  it.each([
    [0, 1_000],
    [10_000, 2_500],
    [300_000, 30_000],
    [590_000, 10_000],
    [600_000, undefined],
    [-5, 1_000],
  ])("puts a message of %i ms aside for %s", (age, delay) => {
    expect(unknownDelay(age, 600_000)).toBe(delay);
  });
});
