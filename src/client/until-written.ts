import { setTimeout as pause } from "node:timers/promises";
import { StoreUnavailableError } from "../errors.js";

/** Pauses while the store is away, in milliseconds: each up to twice as long as the one before. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;

/**
 * Tries a write again while the store is away.
 *
 * @param write - Harmless when repeated.
 * @param timeoutMs - For so long. Then it rejects with the store's own error.
 */
export async function untilWritten<T>(write: () => Promise<T>, timeoutMs: number): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      return await write();
    } catch (error) {
      const left = deadline - performance.now();
      if (!(error instanceof StoreUnavailableError) || left <= 0) throw error;
      await pause(Math.min(left, pauseMs));
    }
  }
}
