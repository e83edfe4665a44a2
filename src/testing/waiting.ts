import type { Consumer } from "../contracts/broker.js";
import type { TestClock } from "./manual-clock.js";

/** Whoever can keep a lease alive. */
type Renewing = Pick<Consumer, "renew">;

/** A lease that tests let run out, in milliseconds. */
export const shortLease = 1_000;

/** A lease that outlives any test, in milliseconds. */
export const longLease = 600_000;

/** How long a test waits for something that should happen at once, in milliseconds. */
const limitMs = 4_000;

/** Resolves with the promise, or rejects after a few seconds with what was expected. */
export async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${limitMs} ms, and it did not happen: ${what}.`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets time pass while the `living` renew in time; whoever is not named falls silent. */
export async function pass(clock: TestClock, ms: number, living: readonly Renewing[]): Promise<void> {
  const step = shortLease / 4;
  for (let left = ms; left > 0; left -= step) {
    await clock.advance(Math.min(step, left));
    for (const one of living) await one.renew([]);
  }
}

/** Lets a short lease end, and makes the `living` ready to take over. */
export async function outlive(clock: TestClock, ...living: readonly Renewing[]): Promise<void> {
  await pass(clock, shortLease * 1.5, living);
}
