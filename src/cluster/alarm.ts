/** Wake-ups come no closer together, in milliseconds: a busy store tells of changes all the time. */
const quietMs = 250;
/** How often the wall clock is compared with the monotonic one, in milliseconds. */
const tickMs = 1_000;
/** A wall clock that has moved by more than this has jumped, in milliseconds. */
const jumpMs = 250;

/** For tests: clocks other than those of the process. */
export interface AlarmClocks {
  readonly now: () => number;
  readonly monotonic: () => number;
}

const ownClocks: AlarmClocks = { now: () => Date.now(), monotonic: () => performance.now() };

/**
 * Sleeps until a time has passed, or something has happened. Timers count elapsed time, and stand still while a machine
 * is suspended; when the wall clock has jumped, be it set or be it that the machine has slept, the alarm rings at once.
 */
export class Alarm {
  readonly #clocks: AlarmClocks;
  readonly #ticks: NodeJS.Timeout;
  #difference: number;
  #wake: (() => void) | undefined;
  #soon: NodeJS.Timeout | undefined;
  #wokenAt = -Infinity;
  /** It rang while nobody slept. */
  #rung = false;
  #ended = false;

  constructor(clocks: AlarmClocks = ownClocks) {
    this.#clocks = clocks;
    this.#difference = clocks.now() - clocks.monotonic();
    this.#ticks = setInterval(() => this.#compare(), tickMs);
  }

  /** Resolves after `ms` milliseconds, when it rings, or when it has ended. */
  async wait(ms: number): Promise<void> {
    if (!this.#rung && !this.#ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = undefined;
    this.#rung = false;
    this.#wokenAt = this.#clocks.monotonic();
  }

  /** Rings now, or as soon as the last time is long enough ago. */
  ringSoon(): void {
    if (this.#ended) return;
    const waitMs = Math.max(0, this.#wokenAt + quietMs - this.#clocks.monotonic());
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#ring();
    }, waitMs);
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#ticks);
    clearTimeout(this.#soon);
    this.#wake?.();
  }

  #ring(): void {
    if (this.#wake === undefined) this.#rung = true;
    else this.#wake();
  }

  #compare(): void {
    const difference = this.#clocks.now() - this.#clocks.monotonic();
    if (Math.abs(difference - this.#difference) < jumpMs) return;
    this.#difference = difference;
    this.#ring();
  }
}
