import type { Cache } from "../contracts/cache.js";
import type { Settlement, Store } from "../contracts/store.js";
import { cacheResult } from "../core/cached-result.js";
import { StoreUnavailableError } from "../errors.js";
import type { Outage } from "./outage.js";

/** Results in one write. Larger batches gain nothing and hold the store longer. */
const batchSize = 256;

interface Pending {
  readonly consumer: string;
  readonly settlement: Settlement;
  /** How long the cache keeps the result, in milliseconds; `null` for ever, `undefined`: the record has it. */
  readonly cachedMs: number | null | undefined;
  /** `stored: false`: the lease had ended, and nothing was written. A promise is part of the writing. */
  readonly stored: (stored: boolean) => void | Promise<void>;
}

/**
 * Writes endings, in batches that grow under load and are immediate when idle: while one write is under way, the next
 * batch gathers. What cannot be written waits here, and is written first when the store is back.
 */
export class Recorder {
  readonly #store: Pick<Store, "finish">;
  readonly #outage: Outage;
  readonly #fatal: (error: unknown) => void;
  readonly #written: () => void;
  #pending: Pending[] = [];
  #writing: Promise<void> | undefined;
  #inFlight = 0;
  #abandoned = false;

  readonly #cache: Pick<Cache, "set">;

  /** @param written - Called after each write: fewer endings wait, so more may be taken. */
  constructor(
    { store, cache }: { readonly store: Pick<Store, "finish">; readonly cache: Pick<Cache, "set"> },
    outage: Outage,
    fatal: (error: unknown) => void,
    written: () => void = () => {},
  ) {
    this.#store = store;
    this.#cache = cache;
    this.#outage = outage;
    this.#fatal = fatal;
    this.#written = written;
  }

  /** Endings that are not stored yet. */
  get size(): number {
    return this.#pending.length + this.#inFlight;
  }

  /** @param cachedMs - How long the cache keeps the result, in milliseconds; `null` for ever. Default: the record has it. */
  record(consumer: string, settlement: Settlement, stored: Pending["stored"], cachedMs?: number | null): void {
    this.#pending.push({ consumer, settlement, stored, cachedMs });
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = undefined));
  }

  /** Resolves when everything is stored. */
  async drained(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Gives up what is not stored: those tasks run again. */
  abandon(): number {
    this.#abandoned = true;
    return this.size;
  }

  async #writeAll(): Promise<void> {
    // All reports of one frame come in one turn of the loop; they belong into one write.
    await Promise.resolve();
    while (this.#pending.length > 0 && !this.#abandoned) {
      const batch = this.#nextBatch();
      this.#inFlight = batch.length;
      try {
        const answers = await this.#store.finish(batch[0]!.consumer, await this.#settlements(batch));
        this.#outage.over();
        await answered(batch, answers);
        this.#inFlight = 0;
        this.#written();
      } catch (error) {
        this.#inFlight = 0;
        // First in line again. Writing the same ending twice is harmless: the second one finds no message.
        this.#pending.unshift(...batch);
        if (!(error instanceof StoreUnavailableError)) return this.#fatal(error);
        await this.#outage.wait(error);
      }
    }
  }

  /** The settlements as the store gets them: results that the cache keeps are there by then. */
  async #settlements(batch: readonly Pending[]): Promise<Settlement[]> {
    if (batch.every(({ cachedMs }) => cachedMs === undefined)) return batch.map(({ settlement }) => settlement);
    return await Promise.all(
      batch.map(async ({ settlement, cachedMs }) =>
        cachedMs === undefined ? settlement : await cacheResult(this.#cache, settlement, cachedMs),
      ),
    );
  }

  /** One write goes to one hold: after a lost lease, endings of the old one may still stand in line. */
  #nextBatch(): Pending[] {
    const { consumer } = this.#pending[0]!;
    const other = this.#pending.findIndex((pending) => pending.consumer !== consumer);
    return this.#pending.splice(0, Math.min(batchSize, other === -1 ? this.#pending.length : other));
  }
}

/** Waits only for those who have something to look up. */
async function answered(batch: readonly Pending[], answers: readonly boolean[]): Promise<void> {
  const lookups = batch.flatMap((pending, place) => pending.stored(answers[place] === true) ?? []);
  if (lookups.length > 0) await Promise.allSettled(lookups);
}
