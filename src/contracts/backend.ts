import type { Broker } from "./broker.js";
import type { Cache } from "./cache.js";
import type { Clock } from "./clock.js";
import type { Outbox, OutboxOptions } from "./outbox.js";
import type { Store } from "./store.js";
import type { TransactionWriter } from "./transaction.js";

/** A technology that is broker, store and cache at once, opened for one project. */
export interface Backend extends AsyncDisposable {
  readonly broker: Broker;
  readonly store: Store;
  readonly cache: Cache;
  readonly schema: Schema;
  /** For tasks that are enqueued or completed in the application's own transaction. Missing where there is none to join. */
  readonly transactions?: TransactionWriter | undefined;
  /**
   * In one sentence for people: what a power cut or a failover may take back of what was confirmed. Absent where the option
   * `durability` says it all.
   */
  readonly losses?: () => Promise<string>;
  /** There when the backend was opened with {@link BackendOptions.outbox}, and can keep its promises. */
  readonly outbox?: Outbox | undefined;
}

/**
 * What confirmed writes survive: the death of every process of ours; a power cut too; or the loss of the server, as so many
 * replicas have them. A backend that cannot keep the last one refuses it when opened.
 */
export type Durability = "process" | "power" | { readonly replicas: number };

/** The tables of a backend, by versions. A backend without tables is always current. */
export interface Schema {
  status(): Promise<SchemaStatus>;
  /**
   * Applies what is missing, each version in a transaction of its own. Resolves to the versions applied, in order. Several
   * processes may call it at once: each version is applied by one of them.
   */
  migrate(): Promise<number[]>;
  /** The SQL of the versions not applied yet, or of all of them. Empty when there is nothing to apply. */
  sql(which: "pending" | "all"): Promise<string>;
}

export interface SchemaStatus {
  /** 0 when there are no tables yet. */
  readonly version: number;
  /** The version this code was written for. */
  readonly wanted: number;
  /** Code whose own version is below this cannot work with the tables. */
  readonly worksFrom: number;
}

/** How to open a backend. Only data, so that it can be sent to a thread, unless there is a `client`. */
export interface BackendOptions {
  /** The part after `sqlite:`, `postgres:` …, made absolute where it is a path. */
  readonly location: string;
  readonly project: string;
  /** `"power"`: confirmed writes survive a power cut, where the backend can choose. */
  readonly durability: Durability;
  /** How long one call may block the thread while another process writes, in milliseconds; then it retries asynchronously. */
  readonly blockMs: number;
  /** How long it retries before it rejects with `StoreUnavailableError`, in milliseconds. */
  readonly retryMs: number;
  /** Without an answer so soon, in milliseconds, the connection to a server counts as lost. Default 3,000; large writes get more. */
  readonly answerMs?: number | undefined;
  /**
   * Create the tables, and bring them up to date, when opening. Without it a backend opens on missing tables too, so that
   * {@link Schema} can be used; all else rejects with `SchemaError` until they are there.
   */
  readonly migrate: boolean;
  /** A broker elsewhere carries the tasks of this store: note what has to be sent to it. Default: the store carries them itself. */
  readonly outbox?: OutboxOptions | undefined;
  /**
   * A queue that has a place of its own in the same database: this opens that place, for its messages alone. Only backends
   * that spread their keys over slots are told.
   */
  readonly slotOf?: string | undefined;
  /**
   * A live client of the database's library, which stays its owner's, or options for one; `location` then says the rest.
   * Backends whose calls block a thread take none.
   */
  readonly client?: unknown;
}

/** What each module in `backends/` exports as `openBackend`. @param clock - Handed in by tests only. */
export type OpenBackend = (options: BackendOptions, clock?: Clock) => Promise<Backend>;
