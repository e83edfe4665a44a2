import type { Cache } from "../contracts/cache.js";
import type { Settlement, Store } from "../contracts/store.js";
import { cacheResult } from "../core/cached-result.js";
import { toErrorRecord } from "../core/error-record.js";
import { openPlanned } from "../core/open-planned.js";
import type { PlannedFlow } from "../core/schedule/flow-plan.js";
import { StoreUnavailableError } from "../errors.js";
import type { Outage } from "./outage.js";

type RecorderStore = Pick<Store, "finish" | "flows" | "submit" | "capabilities">;

/** Results in one write. Postgres gains up to here; a store that does not writes them in several parts. */
const batchSize = 512;

interface Pending {
  readonly consumer: string;
  readonly settlement: Settlement;
  /** How long the cache keeps the result, in milliseconds; `null` for ever, `undefined`: the record has it. */
  readonly cachedMs: number | null | undefined;
  /** What is opened before the message is acknowledged. */
  readonly opens: PlannedFlow | undefined;
  /** `stored: false`: the lease had ended, and nothing was written. A promise is part of the writing. */
  readonly stored: Stored;
}

/** @param settlement - What was written: a flow that cannot be opened has failed. */
type Stored = (stored: boolean, settlement: Settlement) => void | Promise<void>;

/** What goes with an ending. */
export interface RecordOptions {
  /** How long the cache keeps the result, in milliseconds; `null` for ever. Default: the record has it. */
  readonly cachedMs?: number | null | undefined;
  /** A flow that has to be open before the message is acknowledged. */
  readonly opens?: PlannedFlow | undefined;
}

/**
 * Writes endings, in batches that grow under load and are immediate when idle: while one write is under way, the next
 * batch gathers. What cannot be written waits here, and is written first when the store is back.
 */
export class Recorder {
  readonly #store: RecorderStore;
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
    { store, cache }: { readonly store: RecorderStore; readonly cache: Pick<Cache, "set"> },
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

  record(consumer: string, settlement: Settlement, stored: Stored, { cachedMs, opens }: RecordOptions = {}): void {
    this.#pending.push({ consumer, settlement, stored, cachedMs, opens });
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
        const settlements = await this.#settlements(batch);
        const answers = await this.#store.finish(batch[0]!.consumer, settlements);
        this.#outage.over();
        await answered(batch, settlements, answers);
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

  /** The settlements as the store gets them: results that the cache keeps are there by then, and flows are open. */
  async #settlements(batch: readonly Pending[]): Promise<Settlement[]> {
    const isPlain = batch.every(({ cachedMs, opens }) => cachedMs === undefined && opens === undefined);
    if (isPlain) return batch.map(({ settlement }) => settlement);
    return await Promise.all(
      batch.map(async ({ settlement, cachedMs, opens }) => {
        if (opens !== undefined) return await this.#opened(settlement, opens);
        return cachedMs === undefined ? settlement : await cacheResult(this.#cache, settlement, cachedMs);
      }),
    );
  }

  async #opened(settlement: Settlement, opens: PlannedFlow): Promise<Settlement> {
    try {
      await openPlanned(this.#store, opens);
      return settlement;
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      return { ...settlement, outcome: { to: "failed", error: toErrorRecord(error) } };
    }
  }

  /** One write goes to one hold: after a lost lease, endings of the old one may still stand in line. */
  #nextBatch(): Pending[] {
    const { consumer } = this.#pending[0]!;
    const other = this.#pending.findIndex((pending) => pending.consumer !== consumer);
    return this.#pending.splice(0, Math.min(batchSize, other === -1 ? this.#pending.length : other));
  }
}

/** Waits only for those who have something to look up. */
async function answered(
  batch: readonly Pending[],
  settlements: readonly Settlement[],
  answers: readonly boolean[],
): Promise<void> {
  const lookups = batch.flatMap(
    ({ stored, settlement }, place) => stored(answers[place] === true, settlements[place] ?? settlement) ?? [],
  );
  if (lookups.length > 0) await Promise.allSettled(lookups);
}
