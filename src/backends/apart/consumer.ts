import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receipt,
  ReleaseOptions,
  RunningTask,
  TakeOptions,
} from "../../contracts/broker.js";
import type { Begun, Hold } from "../../contracts/outbox.js";
import type { Outcome, Settlement } from "../../contracts/store.js";
import { LeaseLostError, StoreUnavailableError } from "../../errors.js";
import { pointer, type ApartContext } from "./context.js";
import { Hand } from "./hand.js";
import { Pump } from "./pump.js";
import { Returns, type Carried, type Return } from "./returns.js";

/** A message that may not start yet is put off for at least so long, in milliseconds, or it would go round and round. */
const shortestLaterMs = 20;

const acknowledged: Return = { as: "acknowledged" };

/** What the broker handed out to one of its consumers. */
interface Taken {
  readonly carrier: Consumer;
  readonly deliveries: readonly Delivery[];
}

/**
 * Two leases: the broker's, which keeps messages away from others, and the store's, which decides. When the broker's is lost
 * while the store's holds, a new one takes its place, and nothing that runs is disturbed.
 */
export class ApartConsumer implements Consumer {
  readonly id: string;
  readonly #context: ApartContext;
  readonly #options: ConsumeOptions;
  readonly #hold: Hold;
  readonly #hand = new Hand();
  readonly #returns = new Returns();
  readonly #pump: Pump;
  /** Begun perhaps, by calls whose answers got lost. */
  readonly #doubtful = new Set<string>();
  #carrier: Consumer;
  #reopening: Promise<void> | undefined;
  #closed = false;

  constructor(context: ApartContext, options: ConsumeOptions, hold: Hold, carrier: Consumer) {
    this.id = hold.id;
    this.#context = context;
    this.#options = options;
    this.#hold = hold;
    this.#carrier = carrier;
    this.#pump = new Pump(context, hold);
    context.consumers.set(this.id, this);
    this.#pump.start();
  }

  async take(options: TakeOptions): Promise<Delivery[]> {
    const { signal, max, waitMs } = options;
    const from = options.from ?? this.#options.queues;
    const until = performance.now() + waitMs;
    let hasLooked = false;
    if (this.#doubtful.size > 0) await this.#clearDoubts();
    while (max > 0 && signal?.aborted !== true) {
      const left = Math.max(0, until - performance.now());
      const idle = hasLooked && left > 0 ? this.#pump.idle(from) : undefined;
      const taken = await this.#takeCarried({ ...options, waitMs: hasLooked ? left : 0 }).finally(idle);
      const begun = await this.#begin(taken);
      if (begun.length > 0) return begun;
      // What may not begin is out of the way now; the next ones may.
      if (taken.deliveries.length > 0) continue;
      if (hasLooked) return [];
      await this.#pump.look(from);
      hasLooked = true;
    }
    return [];
  }

  async acknowledge(receipts: readonly Receipt[]): Promise<boolean[]> {
    const answers = await this.#hold.acknowledge(receipts);
    await this.#giveBack(receipts, acknowledged);
    return answers;
  }

  async release(receipts: readonly Receipt[], options: ReleaseOptions = {}): Promise<void> {
    await this.#hold.release(receipts, options);
    await this.#giveBack(receipts, this.#after(options.delayMs ?? 0));
  }

  async renew(running: readonly RunningTask[]): Promise<void> {
    try {
      await this.#hold.renew(running);
    } catch (error) {
      if (error instanceof LeaseLostError) await this.#leave();
      throw error;
    }
    const carrier = this.#carrier;
    try {
      // Attempts are recorded by the store alone.
      await carrier.renew([]);
    } catch (error) {
      if (error instanceof LeaseLostError) await this.#reopen(carrier).catch(ignoreOutage);
      else ignoreOutage(error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#hold.close();
    } finally {
      await this.#leave();
    }
  }

  /** The process goes without a word: as if it had died, but for timers. */
  abandon(): void {
    this.#closed = true;
    this.#pump.stop();
    this.#returns.end();
    this.#context.consumers.delete(this.id);
  }

  /** The store has written these endings, or refused them: now the broker is told. */
  async ended(settlements: readonly Settlement[], ours: readonly boolean[]): Promise<void> {
    const told = settlements.map(({ receipt, outcome }, index) => {
      // Refused: it has ended before, or somebody else has it. Handed out again, the store says which.
      const how = ours[index] === true ? this.#returnFor(outcome) : ({ as: "released", delayMs: 0 } as const);
      return this.#returns.add(this.#hand.letGo(receipt), how);
    });
    await this.#context.courier.patient(Promise.all(told));
  }

  #returnFor(outcome: Outcome): Return {
    if (outcome.to === "retrying" || outcome.to === "queued") return this.#after(outcome.delayMs);
    return acknowledged;
  }

  /** What the broker cannot keep for so long is in the store until it is near. */
  #after(delayMs: number): Return {
    return delayMs > this.#context.options.aheadMs ? acknowledged : { as: "released", delayMs };
  }

  async #giveBack(receipts: readonly Receipt[], how: Return): Promise<void> {
    const carried = receipts.flatMap((receipt) => this.#hand.letGo(receipt));
    await this.#context.courier.patient(this.#returns.add(carried, how));
  }

  async #takeCarried(options: TakeOptions): Promise<Taken> {
    const carrier = this.#carrier;
    try {
      if (this.#closed) throw new LeaseLostError(this.id);
      const taken = await carrier.take(options);
      const deliveries = taken.filter(({ id, receipt }) => !this.#hand.joins(id, { carrier, receipt }));
      return { carrier, deliveries };
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      await this.#reopen(carrier);
      return { carrier, deliveries: [] };
    }
  }

  /** Lets through what the store lets begin, in the broker's order. */
  async #begin({ carrier, deliveries }: Taken): Promise<Delivery[]> {
    if (deliveries.length === 0) return [];
    try {
      const answers = await this.#ask(deliveries);
      return deliveries.flatMap((delivery, index) => this.#answered(delivery, carrier, answers[index]!));
    } catch (error) {
      for (const { id } of deliveries) this.#doubtful.add(id);
      const carried = deliveries.map(({ receipt }) => ({ carrier, receipt }));
      await this.#context.courier.patient(this.#returns.add(carried, { as: "released", delayMs: 0 }));
      if (error instanceof LeaseLostError) await this.#leave();
      throw error;
    }
  }

  /** Nobody else could begin what this hold has without knowing it: asked once more, and given back. */
  async #clearDoubts(): Promise<void> {
    const ids = [...this.#doubtful];
    const answers = await this.#hold.begin(ids);
    const receipts = answers.flatMap((answer) => (answer.as === "begun" ? [answer.delivery.receipt] : []));
    await this.#hold.release(receipts);
    for (const id of ids) this.#doubtful.delete(id);
  }

  /** Messages with an envelope of their own are from the time before the store: it takes them in. */
  async #ask(taken: readonly Delivery[]): Promise<Begun[]> {
    const answers = await this.#hold.begin(taken.map(({ id }) => id));
    const strangers = taken.filter(({ envelope }, at) => answers[at]?.as === "unknown" && envelope !== pointer);
    if (strangers.length === 0) return answers;
    for (const { queue, id, envelope } of strangers) {
      await this.#context.store.broker.enqueue(queue, [{ id, envelope, priority: 0, delayMs: 0 }]);
    }
    return await this.#hold.begin(taken.map(({ id }) => id));
  }

  #answered({ id, receipt }: Delivery, carrier: Consumer, begun: Begun): Delivery[] {
    const carried: Carried = { carrier, receipt };
    if (begun.as === "begun") {
      // Two copies of one message came in one take.
      if (this.#hand.joins(id, carried)) return [];
      this.#hand.hold(begun.delivery, carried);
      return [begun.delivery];
    }
    const how = begun.as === "later" ? this.#after(Math.max(shortestLaterMs, begun.delayMs)) : acknowledged;
    void this.#returns.add([carried], how);
    return [];
  }

  /** A new lease of the broker under the old one of the store. @throws {LeaseLostError} when that has ended too. */
  async #reopen(lost: Consumer): Promise<void> {
    if (this.#closed) throw new LeaseLostError(this.id);
    if (this.#carrier !== lost) return;
    await (this.#reopening ??= this.#reopenNow().finally(() => (this.#reopening = undefined)));
  }

  async #reopenNow(): Promise<void> {
    await this.#hold.begin([]);
    this.#carrier = await this.#context.broker.consume(this.#options);
  }

  async #leave(): Promise<void> {
    const isFirst = !this.#closed;
    if (isFirst) await this.#context.courier.patient(this.#returns.add([], acknowledged));
    this.abandon();
    if (isFirst) await this.#context.courier.patient(this.#carrier.close().catch(ignoreOutage));
  }
}

/** A broker that is away is told of by the next take. Its lease may end meanwhile; the store's holds. */
function ignoreOutage(error: unknown): void {
  if (!(error instanceof StoreUnavailableError)) throw error;
}
