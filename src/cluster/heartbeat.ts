import type { Consumer, RunningTask } from "../contracts/broker.js";
import type { ClusterOrder, ClusterStatus, Store } from "../contracts/store.js";
import { LeaseLostError, StoreUnavailableError } from "../errors.js";
import type { Outage } from "./outage.js";

/** A renewal that did not get through is tried again so soon, in milliseconds, and not later than the next one. */
const retryMs = 500;
/** Orders are looked for at most so often when the store says that something has changed, in milliseconds. */
const orderPauseMs = 100;

export interface HeartbeatParts {
  readonly store: Pick<Store, "beat" | "inbox" | "watch">;
  readonly clusterId: string;
  readonly leaseMs: number;
  readonly outage: Outage;
  readonly status: () => ClusterStatus;
  readonly running: () => readonly RunningTask[];
  readonly ordered: (order: ClusterOrder) => void;
  readonly leaseLost: (consumer: Consumer) => void;
  readonly fatal: (error: unknown) => void;
}

/** Three times a lease: renews it, publishes the status, and collects orders. Orders also come when the store wakes us. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #consumer: Consumer;
  #timer: NodeJS.Timeout | undefined;
  #orderTimer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #stopped = false;

  constructor(consumer: Consumer, parts: HeartbeatParts) {
    this.#consumer = consumer;
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#publish().catch((error: unknown) => this.#failed(error, this.#consumer));
    this.#unwatch = this.#parts.store.watch(() => this.#lookSoon(), "orders");
    this.#plan();
  }

  useConsumer(consumer: Consumer): void {
    this.#consumer = consumer;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#orderTimer);
    this.#unwatch?.();
  }

  #plan(isAway: boolean = false): void {
    if (this.#stopped) return;
    const pauseMs = this.#parts.leaseMs / 3;
    this.#timer = setTimeout(() => void this.#beat(), isAway ? Math.min(retryMs, pauseMs) : pauseMs);
  }

  async #beat(): Promise<void> {
    const consumer = this.#consumer;
    let isAway = false;
    try {
      await consumer.renew(this.#parts.running());
      this.#parts.outage.over();
      await this.#publish();
      await this.#collect();
    } catch (error) {
      isAway = error instanceof StoreUnavailableError;
      this.#failed(error, consumer);
    }
    this.#plan(isAway);
  }

  #failed(error: unknown, consumer: Consumer): void {
    if (this.#stopped) return;
    if (error instanceof LeaseLostError) return this.#parts.leaseLost(consumer);
    // The fetcher and the recorder wait and say so; the next beat tries again.
    if (error instanceof StoreUnavailableError) return;
    this.#parts.fatal(error);
  }

  async #publish(): Promise<void> {
    await this.#parts.store.beat(this.#parts.status(), this.#parts.leaseMs);
  }

  #lookSoon(): void {
    if (this.#stopped || this.#orderTimer !== undefined) return;
    this.#orderTimer = setTimeout(() => {
      this.#orderTimer = undefined;
      this.#collect().catch((error: unknown) => this.#failed(error, this.#consumer));
    }, orderPauseMs);
  }

  async #collect(): Promise<void> {
    for (const order of await this.#parts.store.inbox(this.#parts.clusterId)) this.#parts.ordered(order);
  }
}
