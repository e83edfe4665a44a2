import type {
  Broker,
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
import { readHeader } from "../../core/task-header.js";
import { LeaseLostError, StoreUnavailableError } from "../../errors.js";
import { Carrier, type Taken } from "./carrier.js";
import { pointer, type ApartContext } from "./context.js";
import { Hand } from "./hand.js";
import { Pump } from "./pump.js";
import { Returns, type Carried, type Return } from "./returns.js";
import type { Line } from "./routes.js";

/** A message that may not start yet is put off for at least so long, in milliseconds, or it would go round and round. */
const shortestLaterMs = 20;

const acknowledged: Return = { as: "acknowledged" };

/** What one look brought: tasks that may run, and whether messages came that may not. */
interface Found {
  readonly begun: readonly Delivery[];
  readonly isEmpty: boolean;
}

/** How to look. */
type Look = Omit<TakeOptions, "from">;

/**
 * Leases of two kinds: the brokers', which keep messages away from others, and the store's, which decides. Queues that no broker
 * carries are the store's alone.
 */
export class ApartConsumer implements Consumer {
  readonly id: string;
  readonly #context: ApartContext;
  readonly #options: ConsumeOptions;
  readonly #hold: Hold;
  readonly #hand = new Hand();
  readonly #returns = new Returns();
  readonly #pump: Pump;
  readonly #carriers = new Map<Broker, Carrier>();
  /** Begun perhaps, by calls whose answers got lost. */
  readonly #doubtful = new Set<string>();
  /** Tasks whose ends may have queued others: members of flows. */
  readonly #members = new Set<Receipt>();
  #closed = false;

  private constructor(context: ApartContext, options: ConsumeOptions, hold: Hold) {
    this.id = hold.id;
    this.#context = context;
    this.#options = options;
    this.#hold = hold;
    this.#pump = new Pump(context, hold);
  }

  static async open(context: ApartContext, options: ConsumeOptions, hold: Hold): Promise<ApartConsumer> {
    const consumer = new ApartConsumer(context, options, hold);
    try {
      await consumer.#openCarriers();
    } catch (error) {
      await consumer.#closeCarriers();
      throw error;
    }
    context.consumers.set(hold.id, consumer);
    consumer.#pump.start();
    return consumer;
  }

  async take(options: TakeOptions): Promise<Delivery[]> {
    const taken = await this.#take(options);
    for (const { receipt, envelope } of taken) if (readHeader(envelope)?.member === true) this.#members.add(receipt);
    return taken;
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
    await Promise.all([...this.#carriers.values()].map((carrier) => carrier.renew()));
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
    const told = settlements.flatMap(({ receipt, outcome }, index) => {
      // Refused: it has ended before, or somebody else has it. Handed out again, the store says which.
      const how = ours[index] === true ? this.#returnFor(outcome) : ({ as: "released", delayMs: 0 } as const);
      const carried = this.#hand.letGo(receipt);
      return carried.length === 0 ? [] : [this.#returns.add(carried, how)];
    });
    const members = settlements.filter(({ receipt }) => this.#members.delete(receipt));
    if (members.length > 0) this.#pump.nudge();
    if (told.length > 0) await this.#context.courier.patient(Promise.all(told));
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
    for (const receipt of receipts) this.#members.delete(receipt);
    if (carried.length > 0) await this.#context.courier.patient(this.#returns.add(carried, how));
  }

  async #take(options: TakeOptions): Promise<Delivery[]> {
    const { signal, max, waitMs } = options;
    const from = options.from ?? this.#options.queues;
    const until = performance.now() + waitMs;
    let hasLooked = false;
    if (this.#doubtful.size > 0) await this.#clearDoubts();
    if (this.#carried(from).length === 0) return await this.#takeOwn(options);
    while (max > 0 && signal?.aborted !== true) {
      const left = hasLooked ? Math.max(0, until - performance.now()) : 0;
      const look = { max, waitMs: left, signal };
      const { begun, isEmpty } = await (left > 0 ? this.#wait(from, look) : this.#look(from, look));
      if (begun.length > 0) return [...begun];
      // What may not begin is out of the way now; the next ones may.
      if (!isEmpty) continue;
      if (hasLooked) return [];
      await this.#pump.look(this.#carried(from));
      hasLooked = true;
    }
    return [];
  }

  #carried(queues: readonly string[]): string[] {
    return queues.filter((queue) => this.#context.routes.of(queue) !== undefined);
  }

  /** One line after the other. One whose broker is away does not hold up what the others have. */
  async #look(from: readonly string[], { max, ...look }: Look): Promise<Found> {
    const begun: Delivery[] = [];
    let isEmpty = true;
    let outage: StoreUnavailableError | undefined;
    for (const line of this.#context.routes.lines(from)) {
      if (begun.length >= max) break;
      try {
        const found = await this.#takeFrom(line, { ...look, max: max - begun.length });
        begun.push(...found.begun);
        isEmpty &&= found.isEmpty;
        if (found.isEmpty) this.#pump.noteEmpty(this.#carried(line.queues));
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
        outage ??= error;
      }
    }
    if (outage !== undefined && begun.length === 0) throw outage;
    return { begun, isEmpty };
  }

  /** In all lines at once. What comes to several of them in the same moment may be too much: that goes back. */
  async #wait(from: readonly string[], { signal, ...look }: Look): Promise<Found> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal?.addEventListener("abort", stop);
    const idle = this.#pump.idle(this.#carried(from));
    try {
      const places = this.#context.routes.places(from);
      // The first that comes back ends the wait of the others: it has something, or the time is over, or it is away.
      const turns = places.map((line) => this.#takeFrom(line, { ...look, signal: over.signal }).finally(stop));
      return await this.#gather(await Promise.allSettled(turns), look.max);
    } finally {
      idle();
      signal?.removeEventListener("abort", stop);
    }
  }

  async #gather(turns: readonly PromiseSettledResult<Found>[], max: number): Promise<Found> {
    const found = turns.flatMap((turn) => (turn.status === "fulfilled" ? [turn.value] : []));
    const begun = found.flatMap((one) => one.begun);
    await this.#putBack(begun.splice(max));
    const failed = turns.find((turn) => turn.status === "rejected");
    if (failed !== undefined && begun.length === 0) throw failed.reason;
    return { begun, isEmpty: found.every((one) => one.isEmpty) };
  }

  async #putBack(surplus: readonly Delivery[]): Promise<void> {
    if (surplus.length === 0) return;
    for (const { id } of surplus) this.#doubtful.add(id);
    await this.#clearDoubts().catch(ignoreOutage);
  }

  async #takeFrom({ broker, queues }: Line, look: Look): Promise<Found> {
    const carrier = broker && this.#carriers.get(broker);
    if (carrier === undefined) {
      const begun = await this.#takeOwn({ ...look, from: queues });
      return { begun, isEmpty: begun.length === 0 };
    }
    if (this.#closed) throw new LeaseLostError(this.id);
    const { consumer, deliveries } = await carrier.take({ ...look, from: queues });
    const fresh = deliveries.filter(({ id, receipt }) => !this.#hand.joins(id, { carrier: consumer, receipt }));
    return { begun: await this.#begin({ consumer, deliveries: fresh }), isEmpty: fresh.length === 0 };
  }

  /** From queues that no broker carries. */
  async #takeOwn(options: TakeOptions): Promise<Delivery[]> {
    try {
      if (this.#closed) throw new LeaseLostError(this.id);
      return (await this.#hold.take?.(options)) ?? [];
    } catch (error) {
      if (error instanceof LeaseLostError) await this.#leave();
      throw error;
    }
  }

  /** Lets through what the store lets begin, in the broker's order. */
  async #begin({ consumer, deliveries }: Taken): Promise<Delivery[]> {
    if (deliveries.length === 0) return [];
    try {
      const answers = await this.#ask(deliveries);
      return deliveries.flatMap((delivery, index) => this.#answered(delivery, consumer, answers[index]!));
    } catch (error) {
      for (const { id } of deliveries) this.#doubtful.add(id);
      const carried = deliveries.map(({ receipt }) => ({ carrier: consumer, receipt }));
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
    await this.release(receipts);
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

  async #openCarriers(): Promise<void> {
    const checkHold = async (): Promise<void> => {
      if (this.#closed) throw new LeaseLostError(this.id);
      await this.#hold.begin([]);
    };
    for (const { broker, queues } of this.#context.routes.places(this.#options.queues)) {
      if (broker === undefined) continue;
      this.#carriers.set(broker, await Carrier.open(broker, { ...this.#options, queues }, checkHold));
    }
  }

  async #closeCarriers(): Promise<void> {
    await Promise.all([...this.#carriers.values()].map((carrier) => carrier.close()));
  }

  async #leave(): Promise<void> {
    const isFirst = !this.#closed;
    if (isFirst) await this.#context.courier.patient(this.#returns.add([], acknowledged));
    this.abandon();
    if (isFirst) await this.#context.courier.patient(this.#closeCarriers());
  }
}

/** A broker that is away is told of by the next take. Its lease may end meanwhile; the store's holds. */
function ignoreOutage(error: unknown): void {
  if (!(error instanceof StoreUnavailableError)) throw error;
}
