interface Waiting {
  readonly enter: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Lets in so many at a time; the others wait in line, for as long as it takes. The driver's own line counts a wait for others like a
 * wait for the server, and would tell a crowd that the server is away.
 */
export class Gate {
  #free: number;
  readonly #line: Waiting[] = [];

  constructor(places: number) {
    this.#free = Math.max(1, places);
  }

  /** Resolves when there is a place. Everyone who enters leaves. */
  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => this.#line.push({ enter: resolve, fail: reject }));
  }

  leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free += 1;
    else next.enter();
  }

  /** What keeps one out keeps out all who wait now: else each would find out for itself, one after the other. */
  turnAway(error: unknown): void {
    for (const { fail } of this.#line.splice(0)) fail(error);
  }
}
