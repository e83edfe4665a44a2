import type { Broker, ConsumeOptions, Consumer, Delivery, TakeOptions } from "../../contracts/broker.js";
import { LeaseLostError, StoreUnavailableError } from "../../errors.js";

/** What a broker handed out to one of its consumers. */
export interface Taken {
  readonly consumer: Consumer;
  readonly deliveries: readonly Delivery[];
}

/**
 * The lease of one broker on what it has handed out. When it is lost while the store's holds, a new one takes its place, and
 * nothing that runs is disturbed.
 */
export class Carrier {
  readonly #broker: Broker;
  readonly #options: ConsumeOptions;
  readonly #checkHold: () => Promise<void>;
  #consumer: Consumer;
  #reopening: Promise<void> | undefined;

  private constructor(broker: Broker, options: ConsumeOptions, checkHold: () => Promise<void>, consumer: Consumer) {
    this.#broker = broker;
    this.#options = options;
    this.#checkHold = checkHold;
    this.#consumer = consumer;
  }

  /** @param checkHold - Rejects with `LeaseLostError` once the store's lease has ended. */
  static async open(broker: Broker, options: ConsumeOptions, checkHold: () => Promise<void>): Promise<Carrier> {
    return new Carrier(broker, options, checkHold, await broker.consume(options));
  }

  async take(options: TakeOptions): Promise<Taken> {
    const consumer = this.#consumer;
    try {
      return { consumer, deliveries: await consumer.take(options) };
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      await this.#reopen(consumer);
      return { consumer, deliveries: [] };
    }
  }

  /** Attempts are recorded by the store alone. A broker that is away is told of by the next take. */
  async renew(): Promise<void> {
    const consumer = this.#consumer;
    try {
      await consumer.renew([]);
    } catch (error) {
      if (error instanceof LeaseLostError) await this.#reopen(consumer).catch(ignoreOutage);
      else ignoreOutage(error);
    }
  }

  /** Its lease may end meanwhile where the broker is away; the store's holds. */
  async close(): Promise<void> {
    await this.#consumer.close().catch(ignoreOutage);
  }

  /** A new lease of the broker under the old one of the store. @throws {LeaseLostError} when that has ended too. */
  async #reopen(lost: Consumer): Promise<void> {
    if (this.#consumer !== lost) return;
    await (this.#reopening ??= this.#reopenNow().finally(() => (this.#reopening = undefined)));
  }

  async #reopenNow(): Promise<void> {
    await this.#checkHold();
    this.#consumer = await this.#broker.consume(this.#options);
  }
}

function ignoreOutage(error: unknown): void {
  if (!(error instanceof StoreUnavailableError)) throw error;
}
