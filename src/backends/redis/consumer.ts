import { randomBytes } from "node:crypto";
import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receipt,
  ReleaseOptions,
  RunningTask,
  TakeOptions,
} from "../../contracts/broker.js";
import { LeaseLostError } from "../../errors.js";
import { clusterLost } from "../sql/endings.js";
import type { Held } from "../sql/held.js";
import { Pause } from "../sql/pause.js";
import type { RedisProject } from "./project.js";
import { plainStep, settle } from "./settle.js";
import { readDeliveries, type TakeReply } from "./deliveries.js";
import type { Topic, WakeUp } from "./wake-up.js";

export interface ConsumerParts {
  readonly project: RedisProject;
  readonly held: Held;
  readonly wakeUp: WakeUp;
  /** The longest time between two looks, in milliseconds, should a wake-up get lost. */
  readonly safetyMs: number;
}

/** Messages in one call of the script. */
const atOnce = 256;

/** What a look found, and how long until there may be more. */
interface Look {
  readonly deliveries: Delivery[];
  readonly moreInMs: number;
}

/** Starts a lease under an id that was never used: the server may have lost its numbers, so it gives none. */
export async function openConsumer(parts: ConsumerParts, options: ConsumeOptions): Promise<RedisConsumer> {
  const id = randomBytes(12).toString("base64url");
  const { leaseMs, cluster } = options;
  parts.held.open(id);
  await parts.project.run("lease", ["open", id, leaseMs, cluster.id, JSON.stringify(clusterLost(cluster))]);
  return new RedisConsumer(id, [...options.queues], parts);
}

/** A hold on messages: the hash `h:<id>`. */
export class RedisConsumer implements Consumer {
  readonly id: string;
  readonly #queues: readonly string[];
  readonly #parts: ConsumerParts;
  readonly #waiting = new Set<Pause>();
  /** One look after the other: what is held is compared with what is known in between. */
  #looking: Promise<unknown> = Promise.resolve();

  constructor(id: string, queues: readonly string[], parts: ConsumerParts) {
    this.id = id;
    this.#queues = queues;
    this.#parts = parts;
  }

  async take(options: TakeOptions): Promise<Delivery[]> {
    const { max, waitMs, signal } = options;
    const queues = (options.from ?? this.#queues).filter((queue) => this.#queues.includes(queue));
    if (isAborted(signal) || max <= 0) return [];
    const { wakeUp } = this.#parts;
    const topics = queues.map((queue): Topic => `q:${queue}`);
    const wasHeard = wakeUp.covers(topics) ? wakeUp.rings : -1;
    const look = await this.#look(queues, max);
    if (look.deliveries.length > 0 || waitMs <= 0 || isAborted(signal)) return look.deliveries;
    return await this.#wait(queues, topics, options, wasHeard === wakeUp.rings ? look : undefined);
  }

  async acknowledge(receipts: readonly Receipt[]): Promise<boolean[]> {
    return await settle(
      this.#parts,
      this.id,
      receipts.map((receipt) => plainStep(receipt, "d")),
    );
  }

  async release(receipts: readonly Receipt[], options: ReleaseOptions = {}): Promise<void> {
    const { delayMs = 0, suspect = false } = options;
    const steps = receipts.map((receipt) => plainStep(receipt, suspect ? "p" : "q", delayMs));
    await settle(this.#parts, this.id, steps);
  }

  async renew(running: readonly RunningTask[]): Promise<void> {
    const text = JSON.stringify(running.map(({ id, startedAt, worker }) => ({ id, startedAt, worker })));
    const isLive = await this.#parts.project.run<number>("lease", ["renew", this.id, text]);
    if (isLive !== 1) throw new LeaseLostError(this.id);
  }

  async close(): Promise<void> {
    await this.#parts.project.run("lease", ["close", this.id]);
    this.#parts.held.close(this.id);
    for (const pause of this.#waiting) pause.end();
  }

  async #wait(
    queues: readonly string[],
    topics: readonly Topic[],
    options: TakeOptions,
    last?: Look,
  ): Promise<Delivery[]> {
    const { max, waitMs, signal } = options;
    const { project, wakeUp, safetyMs } = this.#parts;
    const until = performance.now() + waitMs;
    const pause = new Pause();
    const wake = (): void => pause.end();
    signal?.addEventListener("abort", wake);
    this.#waiting.add(pause);
    const stopListening = await wakeUp.listen(topics, wake);
    try {
      for (let look = last; ; look = undefined) {
        if (look === undefined) pause.reset();
        const { deliveries, moreInMs } = look ?? (await this.#look(queues, max));
        const left = until - performance.now();
        if (deliveries.length > 0 || left <= 0 || isAborted(signal) || project.isClosed) return deliveries;
        await pause.wait(Math.min(left, moreInMs, safetyMs));
        if (isAborted(signal) || project.isClosed) return [];
      }
    } finally {
      this.#waiting.delete(pause);
      signal?.removeEventListener("abort", wake);
      stopListening();
    }
  }

  #look(queues: readonly string[], max: number): Promise<Look> {
    return this.inTurn(() => this.#lookNow(queues, max));
  }

  /** Does what changes what is held while no look is under way. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#looking.then(work);
    this.#looking = turn.catch(() => {});
    return turn;
  }

  async #lookNow(queues: readonly string[], max: number): Promise<Look> {
    const { project, held } = this.#parts;
    const reply = await project.run<TakeReply | null>("take", [this.id, Math.min(max, atOnce), ...queues]);
    if (reply === null) throw new LeaseLostError(this.id);
    const [, count, moreInMs] = reply;
    const deliveries = readDeliveries(reply);
    held.add(
      this.id,
      deliveries.map(({ receipt }) => String(receipt)),
    );
    // A reply was lost, and with it messages that nobody knows of: they go back.
    if (count > held.count(this.id)) await project.run("resync", [this.id, ...held.of(this.id)]);
    return { deliveries, moreInMs: moreInMs < 0 ? Infinity : moreInMs };
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
