import type { Broker, OutgoingMessage } from "../../contracts/broker.js";
import type { Outbox, OutboxOptions, UnsentMessage } from "../../contracts/outbox.js";
import { pointer } from "./context.js";
import type { Line, Routes } from "./routes.js";

/** How long a writer waits for the broker, in milliseconds. Its task is stored, and sent as soon as the broker answers. */
const patienceMs = 500;
/** Between two tries while the broker is away, in milliseconds. */
const pauseMs = 1_000;
/** What waits here for a broker that is away, at most; what is more is left to the outbox. */
const mostLate = 10_000;
/** Marks are gathered for so long, in milliseconds. Who dies before they are written makes others send once more. */
const markMs = 100;

/** When a delay was told, by the monotonic clock. */
interface Late extends UnsentMessage {
  readonly since: number;
}

/** Sends what is in the store to the broker elsewhere, and marks it as sent. Never rejects: what does not arrive is unsent. */
export class Courier {
  readonly #routes: Routes;
  readonly #outbox: Outbox;
  readonly #aheadMs: number;
  readonly #sent = new Set<string>();
  #marking: Promise<void> = Promise.resolve();
  #markTimer: NodeJS.Timeout | undefined;
  /** Calls that the broker has not answered for longer than anybody waits. */
  #stuck = 0;
  #late: Late[] = [];
  #lateTimer: NodeJS.Timeout | undefined;

  constructor(routes: Routes, outbox: Outbox, { aheadMs }: OutboxOptions) {
    this.#routes = routes;
    this.#outbox = outbox;
    this.#aheadMs = aheadMs;
  }

  /** The broker answers, as far as is known. */
  get isReady(): boolean {
    return this.#stuck === 0 && this.#late.length === 0;
  }

  /** Resolves when the broker has them, or when it is not worth waiting for. What the store carries itself is passed over. */
  async send(messages: readonly UnsentMessage[]): Promise<void> {
    const near = messages.filter(({ queue, delayMs }) => delayMs <= this.#aheadMs && this.carries(queue));
    if (near.length === 0) return;
    if (this.isReady) await this.patient(this.#sendAll(near));
    else this.#postpone(near);
  }

  /** Whether messages of this queue are sent at all. */
  carries(queue: string): boolean {
    return this.#routes.of(queue) !== undefined;
  }

  /** Waits for the broker's answer, but not for long. */
  async patient(work: Promise<unknown>): Promise<void> {
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        this.#stuck += 1;
        resolve();
      }, patienceMs);
    });
    const done = work.finally(() => {
      clearTimeout(timer);
      if (isLate) this.#stuck -= 1;
    });
    await Promise.race([done, late]);
  }

  /** Writes the marks that are still to be written. What the broker did not take is left to the outbox. */
  async close(): Promise<void> {
    clearTimeout(this.#lateTimer);
    clearTimeout(this.#markTimer);
    await this.#marking;
    await this.#mark();
  }

  async #sendAll(messages: readonly UnsentMessage[]): Promise<void> {
    const left = byQueue(messages);
    await Promise.all(this.#routes.places([...left.keys()]).map((place) => this.#sendTo(place, left)));
    if (left.size > 0) this.#postpone([...left.values()].flat());
  }

  /** Takes out of `left` what has arrived. A broker that is away is told of by those who take from it. */
  async #sendTo({ broker, queues }: Line, left: Map<string, UnsentMessage[]>): Promise<void> {
    try {
      for (const queue of queues) {
        const own = left.get(queue) ?? [];
        await broker?.enqueue(
          queue,
          own.map((message) => outgoing(broker, message)),
        );
        left.delete(queue);
        for (const { id } of own) this.#sent.add(id);
        this.#markSoon();
      }
    } catch {
      // What is left is tried again later.
    }
  }

  #postpone(messages: readonly UnsentMessage[]): void {
    const since = performance.now();
    const room = Math.max(0, mostLate - this.#late.length);
    this.#late.push(...messages.slice(0, room).map((message) => ({ ...message, since })));
    this.#lateTimer ??= setTimeout(() => void this.#sendLate(), pauseMs).unref();
  }

  async #sendLate(): Promise<void> {
    const now = performance.now();
    const late = this.#late.splice(0);
    await this.#sendAll(late.map(({ since, ...one }) => ({ ...one, delayMs: Math.max(0, one.delayMs - now + since) })));
    this.#lateTimer = undefined;
    if (this.#late.length > 0) this.#postpone([]);
  }

  #markSoon(): void {
    this.#markTimer ??= setTimeout(() => {
      this.#markTimer = undefined;
      this.#marking = this.#mark();
    }, markMs).unref();
  }

  async #mark(): Promise<void> {
    const ids = [...this.#sent];
    this.#sent.clear();
    // A mark that is not written costs one message more.
    if (ids.length > 0) await this.#outbox.sent(ids).catch(() => {});
  }
}

function outgoing({ capabilities }: Broker, { id, priority, delayMs }: UnsentMessage): OutgoingMessage {
  return { id, envelope: pointer, priority: capabilities.priority ? priority : 0, delayMs };
}

function byQueue(messages: readonly UnsentMessage[]): Map<string, UnsentMessage[]> {
  const queues = new Map<string, UnsentMessage[]>();
  for (const message of messages) {
    const own = queues.get(message.queue);
    if (own === undefined) queues.set(message.queue, [message]);
    else own.push(message);
  }
  return queues;
}
