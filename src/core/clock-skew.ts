import { formatDuration } from "./duration.js";

/** Clocks that differ by more are told of, in milliseconds: times on records are hard to read then. */
const tolerableMs = 1_000;

/**
 * How much this machine's clock is ahead of the store's, in milliseconds; 0 when nobody need care. The answer may have taken
 * any part of the round trip, so only what is outside of it counts.
 *
 * @param before - This machine's time when it asked. @param after - When it had the answer.
 */
export function clockSkew(before: number, theirs: number, after: number): number {
  const ahead = theirs < before ? before - theirs : theirs > after ? after - theirs : 0;
  return Math.abs(ahead) > tolerableMs ? ahead : 0;
}

/** In a sentence for people. */
export function skewText(aheadMs: number): string {
  const by = formatDuration(Math.round(Math.abs(aheadMs) / 100) * 100);
  return `This machine's clock is ${by} ${aheadMs > 0 ? "ahead of" : "behind"} the database's.`;
}
