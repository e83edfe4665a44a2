import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidDurationError } from "../errors.js";
import { formatDuration, parseDuration } from "./duration.js";
import type { Duration } from "./task-types.js";

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof units;

describe("parseDuration", () => {
  it.each<[Duration, number]>([
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["1w", 604_800_000],
    ["1.1s", 1_100],
    [".5s", 500],
    [0, 0],
    ["0s", 0],
    [1500, 1500],
    [1.4, 1],
    [0.2, 1],
    ["0.001ms", 1],
    [-0, 0],
  ])("reads %j as %d ms", (value, ms) => {
    expect(parseDuration(value, "timeout")).toBe(ms);
  });

  it.each<[unknown, string]>([
    ["30 sec", '"30 sec"'],
    ["30", '"30"'],
    ["", '""'],
    ["s", '"s"'],
    ["-5s", '"-5s"'],
    ["1e3s", '"1e3s"'],
    ["5S", '"5S"'],
    [" 5s", '" 5s"'],
    ["5s\n", String.raw`"5s\n"`],
    ["1,5s", '"1,5s"'],
    ["5 minutes", '"5 minutes"'],
    ["9".repeat(100), `"${"9".repeat(57)}..."`],
    ["99999999999999999999s", '"99999999999999999999s"'],
    [-1, "-1"],
    [Number.NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [{}, "an object"],
    [["30s"], "an array"],
    [10n, "10"],
    [() => 1, "a function"],
  ])("refuses %s, quoting it, its place and a good value", (value, quoted) => {
    const parse = () => parseDuration(value as Duration, "backoff.base");

    expect(parse).toThrow(InvalidDurationError);
    expect(parse).toThrow(`\`backoff.base\` is ${quoted}, which is no duration. Give a number of milliseconds`);
    expect(parse).toThrow('such as "30s" or "1.5m".');
  });

  it("lets Infinity through only where the caller says so, and only as a number", () => {
    const options = { allowInfinity: true };

    expect(parseDuration(Infinity, "wait", options)).toBe(Infinity);
    expect(() => parseDuration(-Infinity, "wait", options)).toThrow(InvalidDurationError);
    expect(() => parseDuration("Infinitys" as Duration, "wait", options)).toThrow(InvalidDurationError);
  });

  it("gives a whole number of milliseconds, 0 only for 0, whatever number and unit", () => {
    const amount = fc.oneof(
      fc.nat({ max: 1e6 }),
      fc.double({ min: 0, max: 1e6, noNaN: true }).map((n) => Number(n.toFixed(3))),
    );

    fc.assert(
      fc.property(amount, fc.constantFrom<Unit>("ms", "s", "m", "h", "d", "w"), (number, unit) => {
        const ms = parseDuration(`${number}${unit}`, "x");

        expect(Number.isInteger(ms)).toBe(true);
        expect(Math.abs(ms - number * units[unit])).toBeLessThanOrEqual(1);
        expect(ms === 0).toBe(number === 0);
      }),
    );
  });

  it("throws nothing but its own error, whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          expect(parseDuration(value as Duration, "x")).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidDurationError);
        }
      }),
    );
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0ms"],
    [250, "250ms"],
    [1_500, "1s 500ms"],
    [90_000, "1m 30s"],
    [3_600_000, "1h"],
    [90_061_001, "1d 1h 1m 1s 1ms"],
    [Infinity, "for ever"],
    [-5, "0ms"],
  ])("writes %d ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("is exact: its parts add up to what it was given", () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (ms) => {
        const parts = formatDuration(ms).split(" ") as Duration[];

        expect(parts.reduce<number>((sum, part) => sum + parseDuration(part, "x"), 0)).toBe(ms);
      }),
    );
  });
});
