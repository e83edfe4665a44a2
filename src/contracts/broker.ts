/**
 * Carries sealed messages from the processes that enqueue tasks to the clusters that run them.
 *
 * Delivery is at least once: a message is held by one consumer at a time, and is handed out again when that consumer's
 * lease ends before the message was acknowledged. Any method may reject with `StoreUnavailableError`; no other error is
 * worth retrying.
 *
 * A lease ends by a takeover, not by the clock alone. Once a consumer has not renewed for its `leaseMs`, any other one may
 * take over, provided that its own lease has been unbroken for one `leaseMs` of its own. Until then the late one may renew,
 * acknowledge and finish. So an outage that kept everybody away costs nobody what they hold: all renew before anyone may
 * take over. A takeover ends the lease and frees the messages where they stood in the queue. It leaves `deliveries` as it is, except
 * for what it puts on record as a lost attempt ({@link Consumer.renew}): that is an ending, and `deliveries` starts at 0.
 *
 * Counterpart in Django Q2: `django_q.brokers.Broker` (there the lease is the `retry` setting, in seconds).
 */
export interface Broker {
  readonly capabilities: BrokerCapabilities;

  /** Appends to `queue`: every message, or none. A broker never looks inside an envelope. */
  enqueue(queue: string, messages: readonly OutgoingMessage[]): Promise<void>;

  /** Starts taking messages under a lease of its own. */
  consume(options: ConsumeOptions): Promise<Consumer>;

  /** How many messages wait, due or not, expired or not, and are held by nobody. All queues of the project without `queue`. */
  queueSize(queue?: string): Promise<number>;

  /** How many messages consumers hold. All queues of the project without `queue`. */
  lockSize(queue?: string): Promise<number>;

  /**
   * Waiting messages by priority, then due time, then enqueue order; `after` is the last `cursor` of the page before, also
   * when that message is gone meanwhile. A broker may list held ones too, marked as `held`.
   */
  list(queue: string, page: { readonly limit: number; readonly after?: string | undefined }): Promise<ListedMessage[]>;

  /** Removes what waits, leaves what is held. Resolves to the number removed. */
  purge(queue: string): Promise<number>;

  /** Removes the queue with everything in it, held messages too. Resolves to the number removed. */
  deleteQueue(queue: string): Promise<number>;

  /** Rejects when the broker cannot be reached. Resolves to the round trip in milliseconds. */
  ping(): Promise<number>;

  /** One line for people: product, version, place. */
  info(): Promise<string>;
}

export interface BrokerCapabilities {
  /** May hand out two copies of one message at the same time (a standard SQS queue). */
  readonly copies: boolean;
  /** Keeps higher priorities first. Without it, a task with a priority is refused. */
  readonly priority: boolean;
  /** The longest delay that it keeps by itself, in milliseconds; longer ones wait in the store. */
  readonly maxDelayMs: number;
  /** The largest envelope it carries, in bytes. */
  readonly maxBytes: number;
  /** Can show what waits ({@link Broker.list}). */
  readonly list: boolean;
  /** Wakes a waiting consumer; without it `take` looks again and again, backing off from 50 ms to 1 s. */
  readonly push: boolean;
  /** Other processes see the same queues. */
  readonly shared: boolean;
}

export interface OutgoingMessage {
  /** The task's id: 32 hexadecimal digits. Sending the same id to a queue twice leaves one message, the first. */
  readonly id: string;
  /** The sealed task, opaque to the broker. */
  readonly envelope: string;
  /** From -100 to 100; higher is taken first. */
  readonly priority: number;
  /** How long it waits before it may be taken, in milliseconds by the broker's clock. */
  readonly delayMs: number;
}

export interface ConsumeOptions {
  readonly queues: readonly string[];
  /** How long what it holds stays hidden from others, at least, after the last {@link Consumer.renew}, in milliseconds. */
  readonly leaseMs: number;
  /** The cluster that consumes, for people and for the record of lost attempts. */
  readonly cluster: ClusterAddress;
}

/** Who runs a task: enough to find the process. */
export interface ClusterAddress {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** Proof that a message is still ours. Valid only with the consumer that took it. */
export type Receipt = number | string;

/** One cluster's hold on its messages, from {@link Broker.consume} to {@link Consumer.close}. Its id is never used twice. */
export interface Consumer {
  readonly id: string;

  /**
   * Takes up to `max` messages that are due, higher priority first, then the time they became due, then enqueue order.
   * Expired ones are handed out too, marked, so that somebody stores their end. Takes over from dead consumers on the way.
   * Rejects with `LeaseLostError` once the lease has ended or the consumer was closed; a wait that {@link Consumer.close}
   * cuts short may resolve to `[]` as well.
   */
  take(options: TakeOptions): Promise<Delivery[]>;

  /** Removes messages for good. `false` at an index: that lease had ended, and another consumer may be running it. */
  acknowledge(receipts: readonly Receipt[]): Promise<boolean[]>;

  /**
   * Gives messages back, unstarted: `deliveries` goes down again. Without a delay they keep their place in the queue. What
   * is no longer ours is passed over.
   */
  release(receipts: readonly Receipt[], options?: ReleaseOptions): Promise<void>;

  /**
   * Renews everything it holds, in one write, and puts on record what runs just now: a takeover stores exactly those as
   * lost, if they are still held, with one more counted attempt. Rejects with `LeaseLostError` once the lease has ended.
   */
  renew(running: readonly RunningTask[]): Promise<void>;

  /** Gives everything it holds back at once, as {@link Consumer.release} does. Harmless when called twice. */
  close(): Promise<void>;
}

export interface RunningTask {
  readonly id: string;
  /** Wall time of the host that runs it, in milliseconds. */
  readonly startedAt: number;
  readonly worker: string;
}

export interface TakeOptions {
  readonly max: number;
  /** Queues to look into, the first one first; each must be one of {@link ConsumeOptions.queues}. All, when absent. */
  readonly from?: readonly string[] | undefined;
  /** How long to wait while the queues are empty, in milliseconds; 0 returns at once. */
  readonly waitMs: number;
  /** Ends the wait early. The call then resolves to `[]`; it does not reject. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReleaseOptions {
  /** How long to wait before it may be taken again, in milliseconds. Default 0. */
  readonly delayMs?: number | undefined;
  /** It may have killed its worker: counts as two unfinished deliveries, so that it runs alone next time. */
  readonly suspect?: boolean | undefined;
}

/** A message in the hands of a consumer. */
export interface Delivery {
  readonly receipt: Receipt;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  /** How often it was handed out without an ending since, this time included. Above 2: a suspect. */
  readonly deliveries: number;
  /** Attempts counted so far, this one not included. Brokers that keep no count say 0. */
  readonly attempts: number;
  /** Attempts on record so far, counted or not. */
  readonly starts: number;
  /** When it was enqueued, and when it became due, in milliseconds since 1970 by the broker's clock. */
  readonly queuedAt: number;
  readonly dueAt: number;
  /** It must not start any more: its `expires` has passed. */
  readonly expired: boolean;
}

export interface ListedMessage {
  readonly id: string;
  readonly envelope: string;
  readonly priority: number;
  readonly dueAt: number;
  readonly held: boolean;
  readonly cursor: string;
}
