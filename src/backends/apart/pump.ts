import type { Hold } from "../../contracts/outbox.js";
import { LeaseLostError } from "../../errors.js";
import type { ApartContext } from "./context.js";

/** Messages looked up at a time. */
const most = 500;
/** Between two looks there is at least this, in milliseconds. */
const shortestMs = 20;

/** Sends what others have left unsent, what has come near, and what the broker has lost. */
export class Pump {
  readonly #context: ApartContext;
  readonly #hold: Hold;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;
  #isNudged = false;
  #lookedAt = -Infinity;
  #missedAt = -Infinity;
  /** Queues in which the broker has nothing at this moment: somebody waits there. */
  readonly #idle = new Set<readonly string[]>();
  readonly #empty = new Set<string>();

  constructor(context: ApartContext, hold: Hold) {
    this.#context = context;
    this.#hold = hold;
  }

  start(): void {
    this.#plan(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param queues - The broker has nothing that is due in them. */
  async look(queues: readonly string[]): Promise<void> {
    if (performance.now() - this.#lookedAt < this.#context.pace.lookMs) return;
    const end = this.idle(queues);
    try {
      await this.#lookOnce();
      // Another one may have fetched it a moment before.
      await Promise.all(this.#context.looks);
    } finally {
      end();
    }
  }

  /** Somebody waits for messages of these queues, until the result is called. */
  idle(queues: readonly string[]): () => void {
    // An array of its own for each call, so that two may wait for the same queues.
    const own = [...queues];
    this.#idle.add(own);
    return () => void this.#idle.delete(own);
  }

  /** The broker had nothing in these at the last look, though others of the same cluster may keep it busy. */
  noteEmpty(queues: readonly string[]): void {
    for (const queue of queues) this.#empty.add(queue);
  }

  /** Something has just been written that nobody sends: what follows in a flow. */
  nudge(): void {
    // A look that is under way may have been too early.
    if (this.#looking !== undefined) this.#isNudged = true;
    else this.#plan(Math.max(0, this.#lookedAt + shortestMs - performance.now()));
  }

  #plan(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#lookOnce(), inMs).unref();
  }

  /** The look that is under way, or a new one. Never rejects. */
  #lookOnce(): Promise<void> {
    if (this.#looking !== undefined) return this.#looking;
    const { looks } = this.#context;
    const looking = this.#look().finally(() => {
      this.#looking = undefined;
      looks.delete(looking);
      if (this.#isNudged) this.#plan(shortestMs);
      this.#isNudged = false;
    });
    looks.add((this.#looking = looking));
    return looking;
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#lookedAt = performance.now();
    let nextInMs: number = this.#context.pace.pollMs;
    try {
      nextInMs = Math.min(nextInMs, (await this.#sendUnsent()) ?? Infinity);
      await this.#sendMissing();
    } catch (error) {
      if (error instanceof LeaseLostError) return this.stop();
      // An outage: who takes, renews and finishes says so. Here it is tried again.
    }
    this.#plan(Math.max(shortestMs, nextInMs));
  }

  async #sendUnsent(): Promise<number | null> {
    for (;;) {
      if (!this.#context.courier.isReady) return null;
      const { messages, nextInMs } = await this.#hold.unsent(most);
      await this.#context.courier.send(messages);
      if (messages.length < most || this.#stopped) return nextInMs;
    }
  }

  async #sendMissing(): Promise<void> {
    const queues = new Set([...[...this.#idle].flat(), ...this.#empty]);
    if (queues.size === 0 || !this.#context.courier.isReady) return;
    if (performance.now() - this.#missedAt < this.#context.pace.missingMs) return;
    this.#missedAt = performance.now();
    this.#empty.clear();
    for (const queue of queues) await this.#context.courier.send(await this.#hold.missing(queue, most));
  }
}
