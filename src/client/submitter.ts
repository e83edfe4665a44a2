import { setTimeout as pause } from "node:timers/promises";
import type { NewTask, Submitted } from "../contracts/store.js";
import { StoreUnavailableError, TooManyPendingError } from "../errors.js";

/** Larger writes are no faster, and hold up others. */
const mostRows = 1_000;

/** A write that takes longer than this, in milliseconds, says that the store is away. */
const stuckMs = 250;

/** Pauses while the store is away, in milliseconds: each up to twice as long as the one before. */
const firstPauseMs = 50;
const longestPauseMs = 1_000;

/** Where tasks go, and how patiently. */
export interface SubmitterParts {
  /** Stores tasks, all or none. Harmless when repeated with the same ids. */
  readonly write: (tasks: readonly NewTask[]) => Promise<readonly Submitted[]>;
  readonly maxPending: number;
  /** For so long a call is tried again while the store is away, in milliseconds. 0: never. */
  readonly timeoutMs: number;
  /** For tests. Default: the clock and the timer of the process. */
  readonly monotonic?: (() => number) | undefined;
  readonly pause?: ((ms: number) => Promise<unknown>) | undefined;
}

/** One call: its tasks are written together, or not at all. */
interface Call {
  /** It is not tried again from then on. */
  readonly deadline: number;
  readonly tasks: readonly NewTask[];
  readonly resolve: (submitted: readonly Submitted[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes what concurrent calls submit in one round trip. A lone call waits for nothing: the write starts in the next
 * microtask, and what arrives while it is under way goes into the next one. Each call settles after its own write.
 */
export class Submitter {
  readonly #parts: SubmitterParts;
  readonly #monotonic: () => number;
  #calls: Call[] = [];
  #pending = 0;
  /** The writes that failed since the last one that did not. */
  #failures = 0;
  #writingSince: number | undefined;
  #draining: Promise<void> | undefined;

  constructor(parts: SubmitterParts) {
    this.#parts = parts;
    this.#monotonic = parts.monotonic ?? (() => performance.now());
  }

  /**
   * @returns One answer for each task. Rejects at once with {@link TooManyPendingError} when the store does not answer and
   * too many calls wait for it; a crowd that a healthy store will take in a moment is let in. While the store is away, a
   * call is tried again for {@link SubmitterParts.timeoutMs}; then it rejects with {@link StoreUnavailableError}.
   */
  submit(tasks: readonly NewTask[]): Promise<readonly Submitted[]> {
    if (this.#pending >= this.#parts.maxPending && this.#isStuck()) {
      return Promise.reject(new TooManyPendingError(this.#pending));
    }
    const deadline = this.#monotonic() + this.#parts.timeoutMs;
    return new Promise((resolve, reject) => {
      this.#pending += 1;
      this.#calls.push({ tasks, deadline, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when everything accepted so far was written or refused. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // One microtask: what the same turn of the loop submits joins the first write.
    await Promise.resolve();
    while (this.#calls.length > 0) {
      await this.#write(this.#nextBatch());
      if (this.#failures > 0 && this.#calls.length > 0) await this.#waitForStore();
    }
    this.#draining = undefined;
    this.#writingSince = undefined;
    this.#failures = 0;
  }

  #nextBatch(): Call[] {
    let rows = 0;
    let end = 0;
    for (const { tasks } of this.#calls) {
      rows += tasks.length;
      if (end > 0 && rows > mostRows) break;
      end += 1;
    }
    if (end === this.#calls.length) {
      const all = this.#calls;
      this.#calls = [];
      return all;
    }
    return this.#calls.splice(0, end);
  }

  #isStuck(): boolean {
    return this.#writingSince !== undefined && this.#monotonic() - this.#writingSince > stuckMs;
  }

  async #write(batch: readonly Call[]): Promise<void> {
    // A store that is away takes its time over all the tries, not over each.
    if (this.#failures === 0) this.#writingSince = this.#monotonic();
    try {
      const tasks = batch.length === 1 ? batch[0]!.tasks : batch.flatMap((call) => call.tasks);
      const submitted = await this.#parts.write(tasks);
      this.#failures = 0;
      this.#answer(batch, submitted);
    } catch (error) {
      if (error instanceof StoreUnavailableError) this.#postpone(batch, error);
      else if (batch.length === 1) this.#refuse(batch, error);
      // One of them may be at fault: each by itself shows which, and the others are written.
      else for (const call of batch) await this.#write([call]);
    }
  }

  /** Back to the front of the line, except for those whose time is up. */
  #postpone(batch: readonly Call[], error: StoreUnavailableError): void {
    const now = this.#monotonic();
    this.#failures += 1;
    this.#refuse(
      batch.filter(({ deadline }) => deadline <= now),
      error,
    );
    this.#calls = [...batch.filter(({ deadline }) => deadline > now), ...this.#calls];
  }

  /** Not beyond the moment when the first of the calls has to be told. */
  async #waitForStore(): Promise<void> {
    const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failures - 1));
    const left = this.#calls.reduce((least, { deadline }) => Math.min(least, deadline), Infinity) - this.#monotonic();
    await (this.#parts.pause ?? pause)(Math.max(0, Math.min(left, longest * (0.5 + Math.random() / 2))));
  }

  #answer(batch: readonly Call[], submitted: readonly Submitted[]): void {
    this.#pending -= batch.length;
    let at = 0;
    for (const { tasks, resolve } of batch) resolve(submitted.slice(at, (at += tasks.length)));
  }

  #refuse(batch: readonly Call[], error: unknown): void {
    this.#pending -= batch.length;
    for (const { reject } of batch) reject(error);
  }
}
