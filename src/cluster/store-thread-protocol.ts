import type { BackendOptions } from "../contracts/backend.js";
import type { BrokerCapabilities } from "../contracts/broker.js";
import type { CacheCapabilities } from "../contracts/cache.js";
import type { StoreCapabilities } from "../contracts/store.js";
import type { PlainError } from "./store-thread-errors.js";

export interface StoreThreadData {
  readonly scheme: string;
  readonly options: BackendOptions;
}

export type CallTarget =
  | "thread"
  | "broker"
  | "store"
  | "schedules"
  | "flows"
  | "cache"
  | "schema"
  | "outbox"
  | `consumer:${number}`;

export type Call =
  | { readonly id: number; readonly target: CallTarget; readonly method: string; readonly args: readonly unknown[] }
  | { readonly id: number; readonly abort: true };

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly changed: true };

export interface OpenedCapabilities {
  readonly broker: BrokerCapabilities;
  readonly store: StoreCapabilities;
  readonly cache: CacheCapabilities;
  /** Whether the store keeps an outbox. */
  readonly outbox: boolean;
}
