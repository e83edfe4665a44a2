import { describe, expect, it } from "vitest";
import type { AttemptEnding } from "../contracts/store.js";
import { isFinal, policyOf, settleAttempt } from "./settle.js";
import type { AttemptEnd, RunPolicy } from "./settle.js";

const policy: RunPolicy = {
  timeoutMs: 300_000,
  attempts: 3,
  backoff: { baseMs: 1_000, factor: 2, maxMs: 600_000, jitter: 0 },
  hookOn: "final",
  save: true,
};

function ended(ending: AttemptEnding, more: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    ending,
    startedAt: 10,
    stoppedAt: 20,
    worker: "host:1",
    error: { name: "E", message: ending, stack: null },
    ...more,
  };
}

describe("settleAttempt", () => {
  it.each([
    ["error", 0, "retrying", true],
    ["error", 2, "failed", true],
    ["timeout", 0, "retrying", true],
    ["timeout", 2, "failed", true],
    ["died", 1, "retrying", true],
    ["died", 2, "failed", true],
    ["released", 2, "queued", false],
    ["cancelled", 0, "cancelled", false],
  ] as const)("takes %s after %i counted attempts to %s (P027, P028, P305)", (ending, attempts, to, counted) => {
    const { attempt, outcome } = settleAttempt(ended(ending), { attempts, starts: attempts }, policy, 0);

    expect(outcome.to).toBe(to);
    expect(attempt).toMatchObject({ number: attempts + 1, ending, counted });
  });

  it("keeps the sealed result of a success", () => {
    const { outcome } = settleAttempt(ended("succeeded", { result: "sealed" }), { attempts: 0, starts: 0 }, policy, 0);

    expect(outcome).toEqual({ to: "succeeded", result: "sealed", keep: true });
  });

  it("leaves no record of a success when the task says save: false (P072)", () => {
    const { outcome } = settleAttempt(
      ended("succeeded", { result: "sealed" }),
      { attempts: 0, starts: 0 },
      { ...policy, save: false },
      0,
    );

    expect(outcome).toMatchObject({ to: "succeeded", keep: false });
  });

  it.each([
    [0, 1_000],
    [1, 2_000],
  ])("waits longer after each failure (P093)", (attempts, delayMs) => {
    const { outcome } = settleAttempt(ended("error"), { attempts, starts: attempts }, policy, 0);

    expect(outcome).toEqual({ to: "retrying", delayMs });
  });

  it("tries for ever when attempts is 0, and only then", () => {
    const { outcome } = settleAttempt(
      ended("error"),
      { attempts: 10_000, starts: 10_000 },
      { ...policy, attempts: 0 },
      0,
    );

    expect(outcome).toEqual({ to: "retrying", delayMs: 600_000 });
  });

  it("gives up at once on an error that no attempt can change", () => {
    const { outcome } = settleAttempt(ended("error", { final: true }), { attempts: 0, starts: 0 }, policy, 0);

    expect(outcome.to).toBe("failed");
  });

  it("does not charge a suspect, and has it run alone next", () => {
    const { attempt, outcome } = settleAttempt(
      ended("released", { suspect: true }),
      { attempts: 2, starts: 5 },
      policy,
      0,
    );

    expect(attempt).toMatchObject({ number: 6, counted: false });
    expect(outcome).toEqual({ to: "queued", delayMs: 0, suspect: true });
  });
});

describe("policyOf", () => {
  it("takes what the message says before what the cluster says", () => {
    const header = { v: 1, id: "i", func: "f", timeout: null, attempts: 0, save: false, hookOn: "attempt" } as const;

    expect(policyOf(header, policy)).toMatchObject({ timeoutMs: null, attempts: 0, save: false, hookOn: "attempt" });
  });

  it("fills each part of the backoff that the message leaves open", () => {
    const header = { v: 1, id: "i", func: "f", backoff: { base: 5 } } as const;

    expect(policyOf(header, policy).backoff).toEqual({ baseMs: 5, factor: 2, maxMs: 600_000, jitter: 0 });
  });
});

describe("isFinal", () => {
  it.each([
    [{ to: "retrying", delayMs: 0 } as const, false],
    [{ to: "queued", delayMs: 0, suspect: false } as const, false],
    [{ to: "succeeded", result: "", keep: true } as const, true],
    [{ to: "expired", error: { name: "", message: "", stack: null } } as const, true],
  ])("knows whether %o is the end", (outcome, final) => {
    expect(isFinal(outcome)).toBe(final);
  });
});
