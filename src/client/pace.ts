/** Looks follow each other no faster, on average, in milliseconds, however often the store says that something changed. */
const gapMs = 5;
/** After a look the store is left alone for so many times as long as it took: a synchronous one stops the whole loop. */
const restFactor = 10;
/** How much of either may be put off, in milliseconds: the look at the start of a wait must not hold up the one that finds. */
const credit = { gapMs: 10, restMs: 100 } as const;

/**
 * How often a store may be asked: seldom enough to cost it little, however much changes in it, and at once after it was left
 * alone for a while.
 */
export class Pace {
  #gapsUntil = -Infinity;
  #restsUntil = -Infinity;

  /** A look has begun. */
  began(now: number): void {
    this.#gapsUntil = Math.max(this.#gapsUntil, now) + gapMs;
  }

  /** The look has ended. */
  ended(started: number, now: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, started) + (restFactor + 1) * (now - started);
  }

  /** How long the next look is to wait, in milliseconds. */
  delay(now: number): number {
    return Math.max(0, this.#gapsUntil - credit.gapMs - now, this.#restsUntil - credit.restMs - now);
  }
}
