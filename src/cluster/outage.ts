import type { Logger } from "../contracts/logger.js";

/** First and longest pause between tries, in milliseconds. */
const pauses = { first: 100, longest: 1_500 } as const;

/** Says once that the store is away and once that it is back, and spaces the tries in between. */
export class Outage {
  readonly #logger: Logger;
  readonly #longestMs: number;
  readonly #random: () => number;
  #since: number | undefined;
  #pauseMs: number = pauses.first;
  #wakers = new Set<() => void>();

  /** @param leaseMs - Tries come at least three times in a lease, so that we renew before anybody takes over. */
  constructor(logger: Logger, leaseMs: number, random: () => number) {
    this.#logger = logger;
    this.#longestMs = Math.min(pauses.longest, leaseMs / 3);
    this.#random = random;
  }

  get active(): boolean {
    return this.#since !== undefined;
  }

  /** Waits before the next try. */
  async wait(error: Error): Promise<void> {
    if (this.#since === undefined) {
      this.#since = Date.now();
      this.#logger.error(`The store cannot be reached; taking nothing new until it is back: ${error.message}`);
    }
    const pause = Math.min(this.#pauseMs, this.#longestMs) * (0.75 + 0.5 * this.#random());
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#longestMs);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, pause);
      this.#wakers.add(wake);
    });
  }

  /** A call has got through. */
  over(): void {
    if (this.#since === undefined) return;
    const seconds = ((Date.now() - this.#since) / 1_000).toFixed(1);
    this.#logger.info(`The store is back after ${seconds} s.`);
    this.#since = undefined;
    this.#pauseMs = pauses.first;
    for (const wake of this.#wakers) wake();
  }
}
