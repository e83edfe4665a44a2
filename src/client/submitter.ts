import type { NewTask, Store, Submitted } from "../contracts/store.js";
import { StoreUnavailableError, TooManyPendingError } from "../errors.js";

/** Larger writes are no faster, and hold up others. */
const mostRows = 1_000;

/** A write that takes longer than this, in milliseconds, says that the store is away. */
const stuckMs = 250;

/** One call: its tasks are written together, or not at all. */
interface Call {
  readonly tasks: readonly NewTask[];
  readonly resolve: (submitted: readonly Submitted[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes what concurrent calls submit in one round trip. A lone call waits for nothing: the write starts in the next
 * microtask, and what arrives while it is under way goes into the next one. Each call settles after its own write.
 */
export class Submitter {
  readonly #store: () => Promise<Store>;
  readonly #maxPending: number;
  readonly #monotonic: () => number;
  #calls: Call[] = [];
  #pending = 0;
  #writingSince: number | undefined;
  #draining: Promise<void> | undefined;

  constructor(store: () => Promise<Store>, maxPending: number, monotonic: () => number = () => performance.now()) {
    this.#store = store;
    this.#maxPending = maxPending;
    this.#monotonic = monotonic;
  }

  /**
   * @returns One answer for each task. Rejects at once with {@link TooManyPendingError} when the store does not answer and
   * too many calls wait for it; a crowd that a healthy store will take in a moment is let in.
   */
  submit(tasks: readonly NewTask[]): Promise<readonly Submitted[]> {
    if (this.#pending >= this.#maxPending && this.#isStuck()) {
      return Promise.reject(new TooManyPendingError(this.#pending));
    }
    return new Promise((resolve, reject) => {
      this.#pending += 1;
      this.#calls.push({ tasks, resolve, reject });
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
    while (this.#calls.length > 0) await this.#write(this.#nextBatch());
    this.#draining = undefined;
    this.#writingSince = undefined;
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
    this.#writingSince = this.#monotonic();
    try {
      const store = await this.#store();
      this.#answer(
        batch,
        await store.submit(batch.length === 1 ? batch[0]!.tasks : batch.flatMap((call) => call.tasks)),
      );
    } catch (error) {
      if (batch.length === 1 || error instanceof StoreUnavailableError) this.#refuse(batch, error);
      // One of them may be at fault: each by itself shows which, and the others are written.
      else for (const call of batch) await this.#write([call]);
    }
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
