import type { Backend } from "../../contracts/backend.js";
import type { Outbox, OutboxOptions } from "../../contracts/outbox.js";
import type { ApartConsumer } from "./consumer.js";
import type { Courier } from "./courier.js";
import type { Routes } from "./routes.js";

/** What the parts of a backend with a broker elsewhere share. */
export interface ApartContext {
  readonly store: Backend;
  readonly routes: Routes;
  readonly outbox: Outbox;
  readonly options: OutboxOptions;
  readonly courier: Courier;
  /** The consumers of this process, by id. */
  readonly consumers: Map<string, ApartConsumer>;
  /** Looks into the outbox that are under way in this process: what one of them has fetched is on its way to the broker. */
  readonly looks: Set<Promise<void>>;
  readonly pace: Pace;
}

/** How often the outbox is looked into, in milliseconds. */
export interface Pace {
  /** At most so often by a consumer that finds nothing in the broker. */
  readonly lookMs: number;
  /** At most so often for what the broker may have lost. */
  readonly missingMs: number;
  /** At least so often. */
  readonly pollMs: number;
}

/**
 * What a message in the broker says: nothing. The task is in the store, under the message's id; so a broker's limit for
 * messages never matters, and who can write to the broker cannot change what runs.
 */
export const pointer = "in the store";
