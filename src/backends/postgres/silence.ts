import type { PoolClient } from "./driver.js";
import type { Statement } from "./statement.js";

/** How long something may take, in milliseconds; `name` is that of a statement which is always done in a moment. */
export interface Limit {
  readonly ms: number;
  readonly name?: string;
}

/** What is known of connections that broke without a word: which may be used, and how long to wait for an answer. */
export class Silence {
  readonly #answeredAt = new WeakMap<PoolClient, number>();
  /** Statements that were given up get twice as much the next time: their server may be slow, and not away. */
  readonly #raised = new Map<string, number>();
  readonly #soonMs: number;
  #noticedAt = -Infinity;

  constructor(soonMs: number) {
    this.#soonMs = soonMs;
  }

  /** @param longest - For statements that name no limit of their own. */
  limitOf({ name, isQuick }: Statement, longest: Limit): Limit {
    if (isQuick !== true) return longest;
    return { name, ms: Math.min(this.#raised.get(name) ?? this.#soonMs, longest.ms) };
  }

  answered(client: PoolClient, { name }: Limit): void {
    this.#answeredAt.set(client, performance.now());
    if (name !== undefined) this.#raised.delete(name);
  }

  /** A connection did not answer in time: whatever was idle meanwhile may be as dead. */
  noticed({ name, ms }: Limit): void {
    this.#noticedAt = performance.now();
    if (name !== undefined) this.#raised.set(name, 2 * ms);
  }

  isSuspect(client: PoolClient): boolean {
    return (this.#answeredAt.get(client) ?? Infinity) < this.#noticedAt;
  }
}
