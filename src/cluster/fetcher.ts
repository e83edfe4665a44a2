import type { Consumer, Delivery } from "../contracts/broker.js";
import { LeaseLostError, StoreUnavailableError } from "../errors.js";
import { nextTurn } from "./dispatch.js";
import type { Outage } from "./outage.js";

/** How long an idle fetcher waits for the broker's wake-up before it looks by itself, in milliseconds. */
const safetyLookMs = 30_000;

export interface FetcherParts {
  readonly queues: ReadonlyMap<string, number>;
  readonly outage: Outage;
  readonly wanted: () => number;
  readonly accept: (deliveries: readonly Delivery[], consumer: string) => void;
  readonly leaseLost: (consumer: Consumer) => void;
  readonly fatal: (error: unknown) => void;
}

/** Takes messages whenever the cluster has room: one take at a time, many messages in each. */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #credit = new Map<string, number>();
  readonly #stop = new AbortController();
  #consumer: Consumer;
  #roomMade: (() => void) | undefined;
  #loop: Promise<void> | undefined;
  #taking = false;

  constructor(consumer: Consumer, parts: FetcherParts) {
    this.#consumer = consumer;
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Nothing was there at the last look. */
  get waiting(): boolean {
    return this.#taking;
  }

  /** The cluster may want more now. */
  wake(): void {
    this.#roomMade?.();
  }

  useConsumer(consumer: Consumer): void {
    this.#consumer = consumer;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const max = this.#parts.wanted();
      if (max === 0) await this.#untilRoom();
      else await this.#take(max);
    }
  }

  async #take(max: number): Promise<void> {
    const consumer = this.#consumer;
    const from = nextTurn(this.#parts.queues, this.#credit);
    this.#taking = true;
    try {
      const deliveries = await consumer.take({ max, from, waitMs: safetyLookMs, signal: this.#stop.signal });
      this.#parts.outage.over();
      this.#parts.accept(deliveries, consumer.id);
    } catch (error) {
      await this.#failed(error, consumer);
    } finally {
      this.#taking = false;
    }
  }

  async #failed(error: unknown, consumer: Consumer): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (error instanceof StoreUnavailableError) return await this.#parts.outage.wait(error);
    if (!(error instanceof LeaseLostError)) {
      this.#stop.abort();
      return this.#parts.fatal(error);
    }
    this.#parts.leaseLost(consumer);
    while (this.#consumer === consumer && !this.#stop.signal.aborted) await this.#untilRoom();
  }

  async #untilRoom(): Promise<void> {
    await new Promise<void>((resolve) => (this.#roomMade = resolve));
  }
}
