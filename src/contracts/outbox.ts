import type { ConsumeOptions, Consumer, Delivery } from "./broker.js";

/**
 * Tasks of a store that a broker elsewhere carries ({@link BackendOptions.outbox}).
 *
 * The store's row is the truth, and the message in the broker only points at it: by id, without the envelope. A row that is
 * not held has a time to send, by the store's clock: from then on whoever looks ({@link Hold.unsent}) may send its message.
 * One that is held, or finished, has none. The rules, for a row that is due at `dueAt`, with the numbers of
 * {@link OutboxOptions}:
 *
 * | when | time to send |
 * | --- | --- |
 * | written: `submit`, a follow-up, the task of a slot, `Broker.enqueue` | the later one of now + `handMs` and `dueAt - aheadMs` |
 * | written by who does not send: a transaction of the application | the later one of now and `dueAt - aheadMs` |
 * | handed out by `unsent` or `missing` | now + `handMs` |
 * | marked by `sent`, if its time to send is at most `handMs` away | the later one of `dueAt` and now, + `resendMs` |
 * | begun | none |
 * | given back (`release`, `close`, takeover, the outcomes `retrying` and `queued`) | `dueAt - aheadMs` when that is to come, else the later one of `dueAt` and now, + `resendMs` |
 *
 * So whoever writes a row has `handMs` to send it and mark it. When they die, others do it. Where a row is given back, the
 * broker still has its message, unless it became due too far from now. A message that is sent twice is harmless: a broker
 * keeps one of each id, and of copies {@link Hold.begin} lets one through.
 *
 * The store's own consumers (of a cluster that does not know the broker) may take rows meanwhile; what they hold is held.
 *
 * Everything else (unique keys, all or none, states, cancel, expiry, counts, groups) is the store's, as without an outbox.
 */
export interface Outbox {
  /**
   * Starts a hold on tasks under a lease of its own, in the same place as `Broker.consume`: takeovers, renewals and endings
   * work alike, and {@link Store.finish} takes its id. Rows that were written while the store had no outbox, and are not
   * held, get a time to send: now, or `dueAt - aheadMs` when that is to come.
   */
  hold(options: ConsumeOptions): Promise<Hold>;

  /** Marks as sent what the broker has confirmed. Ids that are unknown, held or finished are passed over. */
  sent(ids: readonly string[]): Promise<void>;
}

/** Handed to a store when it is opened. Times in milliseconds. */
export interface OutboxOptions {
  /** How long before it is due a task is sent; the broker keeps the rest of the delay. At most what it can keep; 0 when it keeps none. */
  readonly aheadMs: number;
  /** How long whoever writes or looks up a row has for sending it, before others may. */
  readonly handMs: number;
  /** How long after it was sent and due a row that nobody began is sent again, should the broker have lost it. More than `handMs` and `missingMs`. */
  readonly resendMs: number;
  /** The same, once the broker says that its queue is empty. */
  readonly missingMs: number;
  /**
   * The queues whose tasks the broker elsewhere carries; the store carries the others itself, and their rows have no time to
   * send. All of them, when absent: other stores than one with slots are never told any.
   */
  readonly queues?: readonly string[] | undefined;
}

/** One cluster's hold on tasks that a broker elsewhere carries. A {@link Consumer} that is told what was taken. */
export interface Hold extends Omit<Consumer, "take"> {
  /**
   * Takes these tasks under this hold, as far as they may run: one conditional write for all, which raises `deliveries` and
   * frees keys that hold until the start, as `Consumer.take` does. Takes over from dead consumers first, on the way. One
   * answer for each id, in their order. Of one id twice in a call, the second answer may be `later`.
   *
   * What this hold has already is answered as begun once more, unchanged: whoever does not know whether a call arrived may
   * repeat it.
   *
   * Rejects with `LeaseLostError` once the lease has ended or the hold was closed, also without ids; nothing is begun then.
   */
  begin(ids: readonly string[]): Promise<Begun[]>;

  /** Takes from queues that the store carries itself ({@link OutboxOptions.queues}), under the same hold. */
  readonly take?: Consumer["take"] | undefined;

  /**
   * Hands out up to `max` rows whose time to send has come, in the order of those times, then of enqueueing, each to one caller
   * for `handMs`.
   * Takes over from dead consumers on the way, and rejects as {@link Hold.begin} does.
   */
  unsent(max: number): Promise<Unsent>;

  /**
   * Hands out up to `max` rows of a queue that have been sent and due for `missingMs`, and that nobody holds: for a broker
   * that says it has nothing. A row that somebody is about to send (its time to send is at most `handMs` away) is left to them.
   * May hand out due rows without a time to send as well, which were written by who does not know of the broker.
   */
  missing(queue: string, max: number): Promise<UnsentMessage[]>;
}

export type Begun =
  /** It may run. The delivery is as `Consumer.take` gives it: counts, times and envelope are the row's. */
  | { readonly as: "begun"; readonly delivery: Delivery }
  /** It has its end: the message is of no use any more. */
  | { readonly as: "finished" }
  /** No such task, or one that left no record. */
  | { readonly as: "unknown" }
  /** Another lease holds it, or it is not due: worth another try after so long (at least 1), in milliseconds. */
  | { readonly as: "later"; readonly delayMs: number };

export interface Unsent {
  readonly messages: readonly UnsentMessage[];
  /** How long until the next time to send of a row that was not handed out now; 0 when there are more, `null` when there is none. */
  readonly nextInMs: number | null;
}

/** What a broker has to know. */
export interface UnsentMessage {
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  /** How long until it is due, in milliseconds; 0 when it is. */
  readonly delayMs: number;
}
