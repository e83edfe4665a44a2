import { expect, it } from "vitest";
import type { Consumer, Delivery } from "../contracts/broker.js";
import type { RunPolicy } from "../core/settle.js";
import { Expectations } from "./expectations.js";
import { Intake } from "./intake.js";
import type { Pool } from "./pool.js";
import { Reserve } from "./reserve.js";

const defaults: RunPolicy = {
  timeoutMs: null,
  attempts: 3,
  backoff: { baseMs: 0, factor: 1, maxMs: 0, jitter: 0 },
  hookOn: "final",
  save: true,
};
const ignore = (): void => {};

/** An intake whose workers hold so much, and the results that are not stored. */
function intakeOf(
  held: number,
  unstored: number,
  queueLimit: number,
): { readonly intake: Intake; readonly reserve: Reserve } {
  const reserve = new Reserve();
  const pool = { held, reserve, freePlaces: 8, places: 8, inHand: 0, expectations: new Expectations() };
  const intake = new Intake({ id: "ours", release: async () => {} } as unknown as Consumer, {
    pool: pool as unknown as Pool,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    defaults,
    queueLimit,
    unstored: () => unstored,
    refuse: () => false,
    monotonic: () => 0,
    outage: { wait: async () => {} },
  });
  return { intake, reserve };
}

it.each([
  ["all that its workers have places for", 0, 0, 1_000, 8],
  ["no more than the limit leaves, counting what runs", 3, 0, 5, 2],
  ["no more than the limit leaves, counting results that are not stored", 0, 4, 5, 1],
  ["nothing at the limit", 3, 2, 5, 0],
  ["nothing above it", 3, 9, 5, 0],
])("takes %s (P035, P297)", (_, held, unstored, queueLimit, expected) => {
  expect(intakeOf(held, unstored, queueLimit).intake.wanted()).toBe(expected);
});

it("counts what it keeps in memory, and lets go of what came under a lease that was lost (P035, P297)", () => {
  const { intake, reserve } = intakeOf(0, 0, 5);
  const delivery = { id: "t", envelope: "", deliveries: 1 } as Delivery;

  intake.accept([delivery, delivery, delivery], "ours");
  intake.accept([delivery], "lost");

  expect(reserve.size).toBe(3);
  expect(intake.wanted()).toBe(2);
});
