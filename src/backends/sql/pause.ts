/** A wait that ends at a call, at a time, or for good. */
export class Pause {
  #isOver = false;
  #wake: (() => void) | undefined;

  /** What arrives while nobody waits ends the next wait at once. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** Forgets what has arrived so far. */
  reset(): void {
    this.#isOver = false;
  }

  /** Resolves after `ms` milliseconds at the latest. */
  wait(ms: number): Promise<void> {
    if (this.#isOver || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
