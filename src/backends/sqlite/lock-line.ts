import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../../contracts/clock.js";

interface Waiting {
  /** Tries once. `false`: still locked. */
  readonly attempt: () => boolean;
  readonly giveUp: () => void;
  readonly until: number;
}

/**
 * Those who wait while another process holds the write lock. Only the first in line asks for it, again and again, without
 * blocking the thread; when it gets through, the others follow in order.
 */
export class LockLine {
  readonly #clock: Clock;
  readonly #retryMs: number;
  readonly #line: Waiting[] = [];
  #asking: Promise<void> | undefined;

  /** @param retryMs - How long each waits at most, in milliseconds. */
  constructor(clock: Clock, retryMs: number) {
    this.#clock = clock;
    this.#retryMs = retryMs;
  }

  get isEmpty(): boolean {
    return this.#asking === undefined;
  }

  /** @param attempt - Tries once, without blocking; `undefined` when still locked. Whatever it throws ends the wait. */
  wait<T>(attempt: () => { readonly value: T } | undefined, late: () => Error): Promise<T> {
    const { promise, resolve, reject } = withResolvers<T>();
    this.#line.push({
      until: this.#clock.monotonic() + this.#retryMs,
      giveUp: () => reject(late()),
      attempt: () => {
        try {
          const done = attempt();
          if (done === undefined) return false;
          resolve(done.value);
        } catch (error) {
          reject(error);
        }
        return true;
      },
    });
    this.#asking ??= this.#ask();
    return promise;
  }

  async #ask(): Promise<void> {
    for (let tries = 0; this.#line.length > 0; tries++) {
      await wait(pauseMs(tries));
      while (this.#line[0]?.attempt() === true) {
        this.#line.shift();
        tries = 0;
        // Each call gets a turn of the loop of its own.
        await turn();
      }
      this.#dismissLate();
    }
    // In the same moment as the last look at the line, so that nobody can queue up behind its back.
    this.#asking = undefined;
  }

  #dismissLate(): void {
    const now = this.#clock.monotonic();
    for (let i = this.#line.length - 1; i >= 0; i--) {
      if ((this.#line[i]?.until ?? 0) <= now) this.#line.splice(i, 1)[0]?.giveUp();
    }
  }
}

/** 1 to 30 ms, growing, with jitter: several processes must not ask in step. */
function pauseMs(tries: number): number {
  return 1 + Math.random() * Math.min(2 ** tries, 29);
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
