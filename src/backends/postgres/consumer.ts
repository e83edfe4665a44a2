import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receipt,
  ReleaseOptions,
  RunningTask,
  TakeOptions,
} from "../../contracts/broker.js";
import { LeaseLostError, StoreUnavailableError } from "../../errors.js";
import { Pause } from "../sql/pause.js";
import { acknowledge, release, resync } from "./held-messages.js";
import { closeLease, renewLease } from "./lease.js";
import type { ProjectDatabase } from "./project-database.js";
import { take, type Look } from "./take.js";

/**
 * After a look that found the last ones, in milliseconds: nothing is there as long as nobody says so, and the next look only
 * finds out when delayed ones become due.
 */
const restMs = 20;

/** A hold on messages in the database. */
export class PostgresConsumer implements Consumer {
  readonly id: string;
  readonly #seq: number;
  readonly #database: ProjectDatabase;
  readonly #queues: readonly string[];
  readonly #safetyMs: number;
  readonly #waiting = new Set<Pause>();
  readonly #leaseMs: number;
  /** One look after the other: what is held is compared with what is known in between. */
  #looking: Promise<unknown> = Promise.resolve();
  /** A reply was lost; the server may carry out what was asked even now. Until then it is looked at again. */
  #unsureUntil = -Infinity;
  #mustResync = false;
  /** How many changes there were when a look began that left nothing. */
  #emptiedAt: number | undefined;

  /** @param safetyMs - The longest time between two looks, in milliseconds, should a wake-up get lost. */
  constructor(seq: number, { queues, leaseMs }: ConsumeOptions, database: ProjectDatabase, safetyMs: number) {
    this.id = String(seq);
    this.#seq = seq;
    this.#database = database;
    this.#queues = [...queues];
    this.#leaseMs = leaseMs;
    this.#safetyMs = safetyMs;
    database.held.open(this.id);
  }

  async take(options: TakeOptions): Promise<Delivery[]> {
    const { max, waitMs, signal } = options;
    const queues = (options.from ?? this.#queues).filter((queue) => this.#queues.includes(queue));
    if (isAborted(signal) || max <= 0) return [];
    // Who is listening already looks once: what comes after that look wakes it.
    if (waitMs <= 0 || !this.#database.wakeUp.isListening("messages")) {
      const { deliveries } = await this.#look(queues, max);
      if (deliveries.length > 0 || waitMs <= 0 || isAborted(signal)) return deliveries;
    }
    return await this.#wait(queues, options);
  }

  async acknowledge(receipts: readonly Receipt[]): Promise<boolean[]> {
    if (receipts.length === 0) return [];
    return await acknowledge(this.#database, this.#seq, receipts);
  }

  async release(receipts: readonly Receipt[], options: ReleaseOptions = {}): Promise<void> {
    if (receipts.length === 0) return;
    await release(this.#database, this.#seq, receipts, options);
    this.#database.wakeUp.changed("messages");
  }

  async renew(running: readonly RunningTask[]): Promise<void> {
    if (!(await renewLease(this.#database, this.#seq, running))) throw new LeaseLostError(this.id);
    if (performance.now() < this.#unsureUntil) await this.#inTurn(() => resync(this.#database, this.#seq));
  }

  async close(): Promise<void> {
    await closeLease(this.#database, this.#seq);
    this.#database.held.close(this.id);
    for (const pause of this.#waiting) pause.end();
    this.#database.wakeUp.changed("messages");
  }

  #look(queues: readonly string[], max: number): Promise<Look> {
    return this.#inTurn(() => this.#lookNow(queues, max));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#looking.then(work);
    this.#looking = done.catch(() => {});
    return done;
  }

  async #lookNow(queues: readonly string[], max: number): Promise<Look> {
    try {
      if (this.#mustResync) await resync(this.#database, this.#seq);
      this.#mustResync = false;
      const changes = this.#database.wakeUp.changes("messages");
      const look = await take(this.#database, this.#seq, queues, max);
      const isRest =
        look.deliveries.length > 0 && look.deliveries.length < max && queues.length === this.#queues.length;
      this.#emptiedAt = isRest ? changes : undefined;
      const receipts = look.deliveries.map(({ receipt }) => String(receipt));
      this.#database.held.add(this.id, receipts);
      for (const { receipt, envelope } of look.deliveries) this.#database.takenMembers.add(Number(receipt), envelope);
      return look;
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.maybeWritten) {
        this.#mustResync = true;
        this.#unsureUntil = performance.now() + 2 * this.#leaseMs;
      }
      throw error;
    }
  }

  async #wait(queues: readonly string[], { max, waitMs, signal }: TakeOptions): Promise<Delivery[]> {
    const { wakeUp } = this.#database;
    const until = performance.now() + waitMs;
    const pause = new Pause();
    const wake = (): void => pause.end();
    const stopListening = wakeUp.listen("messages", wake);
    signal?.addEventListener("abort", wake);
    this.#waiting.add(pause);
    try {
      // Before the look: what is written after it wakes us.
      await wakeUp.ready("messages");
      if (this.#emptiedAt === wakeUp.changes("messages")) await pause.wait(Math.min(waitMs, restMs));
      for (;;) {
        pause.reset();
        if (isAborted(signal) || this.#database.isClosed) return [];
        const { deliveries, nextMs } = await this.#look(queues, max);
        const left = until - performance.now();
        if (deliveries.length > 0 || left <= 0) return deliveries;
        await pause.wait(Math.min(left, Math.max(nextMs, 1), this.#safetyMs));
      }
    } finally {
      this.#waiting.delete(pause);
      signal?.removeEventListener("abort", wake);
      stopListening();
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
