import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { Consumer, Delivery } from "../../contracts/broker.js";
import { consumer, idOf } from "../messages.js";
import { openEmpty, type Suite } from "../suite.js";
import { failed, givenBack, newTask, retrying, succeeded, type Ending } from "../tasks.js";
import { shortLease } from "../waiting.js";

const endings: readonly Ending[] = [
  succeeded,
  succeeded,
  failed,
  retrying(0),
  retrying(100),
  givenBack(),
  givenBack(0, true),
];

/** Nothing is lost and nothing runs on, whatever the order of things. */
export function endurancePromises(suite: Suite): void {
  suite.describe("endurance", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      suite.it(
        `keeps every task in one place, and every success for good, through 300 random steps (${seed})`,
        async () => {
          await using backend = await openEmpty(suite);
          await new Walk(suite, backend, seed).go(300);
        },
      );
    }
  });
}

interface ClusterInWalk {
  readonly consumer: Consumer;
  held: Delivery[];
}

/** Three clusters work on a store, fall silent and come back, while tasks are submitted and cancelled. */
class Walk {
  readonly #suite: Suite;
  readonly #backend: Backend;
  readonly #random: (below: number) => number;
  readonly #clusters: ClusterInWalk[] = [];
  readonly #names: string[] = [];
  /** What the store confirmed as ended, with its state. */
  readonly #ended = new Map<string, string>();

  constructor(suite: Suite, backend: Backend, seed: number) {
    this.#suite = suite;
    this.#backend = backend;
    this.#random = randomNumbers(seed);
  }

  async go(steps: number): Promise<void> {
    for (let index = 0; index < 3; index++) await this.#newCluster(index);
    for (let step = 0; step < steps; step++) {
      await this.#step();
      if (step % 25 === 0) await this.#check();
    }
    await this.#drain();
  }

  #step(): Promise<void> {
    const index = this.#random(this.#clusters.length);
    const cluster = this.#clusters[index]!;
    const actions: readonly (() => Promise<void>)[] = [
      () => this.#submit(),
      () => this.#submit(),
      () => this.#take(cluster),
      () => this.#take(cluster),
      () => this.#take(cluster),
      () => this.#end(cluster),
      () => this.#end(cluster),
      () => this.#end(cluster),
      () => this.#renew(),
      () => this.#renew(),
      () => this.#cancel(),
      () => this.#replace(index),
      () => this.#suite.clock.advance(this.#random(shortLease / 2)),
    ];
    return actions[this.#random(actions.length)]!();
  }

  async #submit(): Promise<void> {
    const names = Array.from({ length: 1 + this.#random(3) }, () => `t${this.#names.length + this.#random(3)}`);
    const answers = await this.#backend.store.submit(
      names.map((name) => newTask(name, { priority: this.#random(3), delayMs: this.#random(50) })),
    );
    for (const [index, { created }] of answers.entries()) if (created) this.#names.push(names[index]!);
  }

  async #take(cluster: ClusterInWalk): Promise<void> {
    const taken = await orLost(cluster.consumer.take({ max: 1 + this.#random(4), waitMs: 0 }));
    for (const delivery of taken ?? []) {
      assert.equal(this.#ended.get(delivery.envelope), undefined, `${delivery.envelope} was handed out after its end`);
      cluster.held.push(delivery);
    }
  }

  async #end(cluster: ClusterInWalk): Promise<void> {
    const ending = cluster.held.splice(0, 1 + this.#random(3));
    const settlements = ending.map((delivery) => endings[this.#random(endings.length)]!(delivery));
    const answers = await this.#backend.store.finish(cluster.consumer.id, settlements);
    for (const [index, ours] of answers.entries()) {
      const { to } = settlements[index]!.outcome;
      const name = ending[index]!.envelope;
      if (ours) assert.equal(this.#ended.get(name), undefined, `${name} ended twice`);
      if (ours && (to === "succeeded" || to === "failed")) this.#ended.set(name, to);
    }
  }

  /** Now and then nobody renews, so that leases run out. */
  async #renew(): Promise<void> {
    for (const { consumer: one, held } of this.#clusters) {
      const running = held.map(({ id }) => ({ id, startedAt: 1, worker: "web-1:1" }));
      if (this.#random(4) > 0) await orLost(one.renew(running));
    }
  }

  async #cancel(): Promise<void> {
    const name = this.#names[this.#random(this.#names.length + 1)];
    if (name === undefined) return;
    const answer = await this.#backend.store.cancel(idOf(name));
    if (answer === "cancelled") this.#ended.set(name, "cancelled");
    else assert.equal(answer === "finished", this.#ended.has(name), `${name}: ${answer}`);
  }

  /** A cluster stops, or just falls silent for ever. */
  async #replace(index: number): Promise<void> {
    if (this.#random(2) === 0) await this.#clusters[index]!.consumer.close();
    await this.#newCluster(index);
  }

  async #newCluster(index: number): Promise<void> {
    const own = await consumer(this.#backend.broker, { leaseMs: shortLease });
    this.#clusters[index] = { consumer: own, held: [] };
  }

  async #check(): Promise<void> {
    const ids = this.#names.map(idOf);
    const known = await this.#backend.store.get(ids);
    assert.equal(known.length, ids.length, "a task was lost");
    for (const { envelope, state } of known) {
      const end = this.#ended.get(envelope);
      if (end !== undefined) assert.equal(state, end, `${envelope} ended as ${end}`);
    }
    assert.equal(await this.#open(), ids.length - this.#ended.size, "unfinished tasks and messages do not agree");
  }

  /** Both numbers of one moment: a backend that takes over by itself may do so between two reads. */
  async #open(): Promise<number> {
    const { broker } = this.#backend;
    for (;;) {
      const waiting = await broker.queueSize();
      const held = await broker.lockSize();
      if ((await broker.queueSize()) === waiting) return waiting + held;
    }
  }

  /** One cluster outlives the others, and ends all that is left. */
  async #drain(): Promise<void> {
    await this.#newCluster(0);
    const last = this.#clusters[0]!;
    for (let round = 0; round < 12; round++) {
      await this.#suite.clock.advance(shortLease / 4);
      await last.consumer.renew([]);
      for (let some = await this.#takeSome(last); some.length > 0; some = await this.#takeSome(last)) {
        const answers = await this.#backend.store.finish(
          last.consumer.id,
          some.map((delivery) => succeeded(delivery)),
        );
        for (const [index, ours] of answers.entries()) if (ours) this.#ended.set(some[index]!.envelope, "succeeded");
      }
    }
    await this.#check();
    assert.equal(this.#ended.size, this.#names.length, "a task never ended");
  }

  async #takeSome(cluster: ClusterInWalk): Promise<Delivery[]> {
    return cluster.consumer.take({ max: 50, waitMs: 0 });
  }
}

/** The answer, or nothing when the lease was lost: then a cluster goes on with a new consumer. */
async function orLost<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, "QLUSTER_LEASE_LOST");
    return undefined;
  }
}

/** The same numbers for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
