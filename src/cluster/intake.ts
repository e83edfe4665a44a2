import type { Consumer, Delivery, Receipt, ReleaseOptions } from "../contracts/broker.js";
import type { Logger } from "../contracts/logger.js";
import type { RunPolicy } from "../core/settle.js";
import { StoreUnavailableError } from "../errors.js";
import { dispatchLimits, wanted } from "./dispatch.js";
import { entryOf } from "./entry.js";
import type { Entry } from "./entry.js";
import type { Outage } from "./outage.js";
import type { Pool } from "./pool.js";

export interface IntakeParts {
  readonly pool: Pool;
  readonly logger: Logger;
  readonly defaults: RunPolicy;
  /** Messages in memory at most, with results that are not stored yet. */
  readonly queueLimit: number;
  readonly unstored: () => number;
  /** Ends a message that must not start. */
  readonly refuse: (entry: Entry) => boolean;
  readonly monotonic: () => number;
  readonly outage: Pick<Outage, "wait">;
}

/** How much is taken, and what is given back: work that nobody here has time for belongs to whoever has. */
export class Intake {
  /** Nothing is taken, and nothing is given back, while true. */
  paused = false;
  readonly #parts: IntakeParts;
  #consumer: Consumer;
  /** Given back because nobody had time: nothing is taken until a place is free. */
  #satisfied = false;
  #closed = false;

  constructor(consumer: Consumer, parts: IntakeParts) {
    this.#consumer = consumer;
    this.#parts = parts;
  }

  useConsumer(consumer: Consumer): void {
    this.#consumer = consumer;
    this.paused = false;
  }

  /** How many messages to take now. */
  wanted(): number {
    const { pool, queueLimit, unstored } = this.#parts;
    const limit = queueLimit - pool.held - pool.reserve.size - unstored();
    const { freePlaces, places, inHand } = pool;
    if (this.paused || limit <= 0 || (this.#satisfied && freePlaces === 0)) return 0;
    this.#satisfied = false;
    return wanted({ freePlaces, places, inHand, averageMs: pool.expectations.overall, limit });
  }

  accept(deliveries: readonly Delivery[], consumer: string): void {
    const { pool, defaults, refuse, monotonic } = this.#parts;
    // They came under a lease that has been lost since, and belong to whoever takes them next.
    if (this.paused || consumer !== this.#consumer.id) return;
    const now = monotonic();
    const entries = deliveries.map((delivery) => entryOf(delivery, consumer, defaults, now));
    pool.reserve.add(entries.filter((entry) => !refuse(entry)));
  }

  /** Gives back what has waited too long while every place is busy. */
  releaseStale(): void {
    const { pool, monotonic } = this.#parts;
    const oldest = pool.reserve.oldest();
    if (oldest === undefined || pool.freePlaces > 0 || this.paused) return;
    if (monotonic() - oldest <= dispatchLimits.patienceMs) return;
    // When a place is free again, what matters most then is taken.
    this.#satisfied = true;
    this.releaseAll();
  }

  /** Gives back everything that has not been handed to a worker. Returns how much that was. */
  releaseAll(): number {
    const entries = this.#parts.pool.reserve.clear();
    this.giveBack(entries);
    return entries.length;
  }

  giveBack(entries: readonly Entry[], options: ReleaseOptions = {}): void {
    const receipts = entries
      .filter((entry) => entry.consumer === this.#consumer.id)
      .map((entry) => entry.delivery.receipt);
    if (receipts.length > 0) void this.#release(this.#consumer, receipts, options);
  }

  /** No more tries: the lease, or its end, gives back what is left. */
  close(): void {
    this.#closed = true;
  }

  /** Our lease covers them until they are given back, so an outage must not make us forget them. */
  async #release(consumer: Consumer, receipts: readonly Receipt[], options: ReleaseOptions): Promise<void> {
    while (!this.#closed && consumer === this.#consumer) {
      try {
        return await consumer.release(receipts, options);
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) {
          return this.#parts.logger.warn("Messages could not be given back", { error });
        }
        await this.#parts.outage.wait(error);
      }
    }
  }
}
