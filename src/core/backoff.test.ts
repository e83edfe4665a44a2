import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffDelay } from "./backoff.js";
import type { BackoffPolicy } from "./backoff.js";

const standard: BackoffPolicy = { baseMs: 1_000, factor: 2, maxMs: 600_000, jitter: 0 };

const policies: fc.Arbitrary<BackoffPolicy> = fc.record({
  baseMs: fc.nat({ max: 1e9 }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  maxMs: fc.nat({ max: 1e9 }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const failures = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 2 ** 31 }));
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe("backoffDelay (P093)", () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [10, 512_000],
    [11, 600_000],
    [5_000, 600_000],
  ])("waits after failure %d for %d ms, doubling up to the cap", (failure, ms) => {
    expect(backoffDelay(standard, failure, 0.5)).toBe(ms);
  });

  it("spreads the share `jitter` of the wait", () => {
    const half = { ...standard, jitter: 0.5 };

    expect(backoffDelay(half, 2, 0)).toBe(1_000);
    expect(backoffDelay(half, 2, 1)).toBe(2_000);
  });

  it.each([
    ["a factor of 1 waits equally long each time", { ...standard, factor: 1 }, 50, 1_000],
    ["a base of 0 never waits", { ...standard, baseMs: 0 }, 5_000, 0],
    ["a cap of 0 never waits", { ...standard, maxMs: 0 }, 3, 0],
    ["a count below 1 counts as the first failure", standard, 0, 1_000],
  ])("%s", (_, policy, failure, ms) => {
    expect(backoffDelay(policy, failure, 1)).toBe(ms);
  });

  it("is a whole number from 0 to the cap, for every policy, count and chance", () => {
    fc.assert(
      fc.property(policies, failures, share, (policy, failure, random) => {
        const ms = backoffDelay(policy, failure, random);

        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(policy.maxMs);
      }),
    );
  });

  it("never waits less on average after one more failure", () => {
    fc.assert(
      fc.property(policies, failures, (policy, failure) => {
        // Linear in the chance, so the delay at one half is the average.
        expect(backoffDelay(policy, failure + 1, 0.5)).toBeGreaterThanOrEqual(backoffDelay(policy, failure, 0.5));
      }),
    );
  });
});
