import { describe, expect, it } from "vitest";
import type { Outcome } from "../contracts/store.js";
import type { RunPolicy } from "../core/settle.js";
import { entryOf } from "./entry.js";
import { failureLine } from "./failure-line.js";

const policy: RunPolicy = {
  timeoutMs: null,
  attempts: 3,
  backoff: { baseMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 },
  hookOn: "final",
  save: true,
};
const error = { name: "Error", message: "the printer is on fire", stack: null };

/** An entry whose task has failed so many times before. */
function entry(attempts: number, most: number): ReturnType<typeof entryOf> {
  const header = JSON.stringify({ v: 1, id: "0".repeat(32), func: "print.letter", name: "letter" });
  const times = { deliveries: 1, starts: attempts, queuedAt: 0, dueAt: 0, expired: false };
  const delivery = {
    receipt: "1",
    id: "0".repeat(32),
    queue: "shop",
    envelope: `${header}\n[]\nx`,
    attempts,
    ...times,
  };
  return entryOf(delivery, "c1", { ...policy, attempts: most }, 0);
}

describe("the line of an attempt that failed", () => {
  it.each<[string, number, number, Outcome, string]>([
    ["the last one", 2, 3, { to: "failed", error }, ""],
    ["the first of three", 0, 3, { to: "retrying", delayMs: 250 }, " (attempt 1 of 3, again in 250ms)"],
    ["the second", 1, 3, { to: "retrying", delayMs: 61_234 }, " (attempt 2 of 3, again in 1m 1s)"],
    ["one of any number", 6, 0, { to: "retrying", delayMs: 0 }, " (attempt 7, again in 0ms)"],
  ])("says in Django Q2's words what failed, and what follows: %s (P415)", (_, before, most, outcome, after) => {
    const line = failureLine(entry(before, most), error, outcome);

    expect(line).toBe(`Failed [letter] - the printer is on fire${after}`);
  });
});
