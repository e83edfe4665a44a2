/** How long to wait between attempts: times in milliseconds, `jitter` from 0 to 1. */
export interface BackoffPolicy {
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** The share of the wait that is random. */
  readonly jitter: number;
}

/**
 * How long to wait before the next attempt, in whole milliseconds: `min(max, base * factor ** (failures - 1))`, of which
 * the share `jitter` is random. Never below 0, never above `max`.
 *
 * @param failures - How many attempts have failed, from 1.
 * @param random - From 0 to 1.
 */
export function backoffDelay(policy: BackoffPolicy, failures: number, random: number): number {
  // A base of 0 stays 0: without this, 0 times an overflowing power would be NaN.
  if (policy.baseMs <= 0) return 0;
  const grown = policy.baseMs * policy.factor ** (Math.max(1, failures) - 1);
  const wait = Math.min(policy.maxMs, grown);
  return Math.round(wait * (1 - policy.jitter * (1 - random)));
}
