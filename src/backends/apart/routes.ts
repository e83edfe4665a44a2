import type { Broker } from "../../contracts/broker.js";

/** Neighbours in an order of queues that one broker carries; without a broker, the store itself. */
export interface Line {
  readonly broker: Broker | undefined;
  readonly queues: readonly string[];
}

/** Which broker carries which queue: one all of them, or each its own queue, and the store the rest. */
export class Routes {
  readonly #whole: Broker | undefined;
  readonly #byQueue: ReadonlyMap<string, Broker>;

  /** @param whole - Carries every queue. @param byQueue - Carry one queue each. */
  constructor(whole: Broker | undefined, byQueue: ReadonlyMap<string, Broker> = new Map()) {
    this.#whole = whole;
    this.#byQueue = byQueue;
  }

  /** The queues that have a broker each. */
  get apart(): readonly string[] {
    return [...this.#byQueue.keys()];
  }

  get brokers(): readonly Broker[] {
    return this.#whole === undefined ? [...this.#byQueue.values()] : [this.#whole];
  }

  /** `undefined`: the store carries it. */
  of(queue: string): Broker | undefined {
    return this.#whole ?? this.#byQueue.get(queue);
  }

  /** In the order of `queues`, which is that of their turns. */
  lines(queues: readonly string[]): Line[] {
    const lines: { readonly broker: Broker | undefined; readonly queues: string[] }[] = [];
    for (const queue of queues) {
      const broker = this.of(queue);
      const last = lines.at(-1);
      if (last !== undefined && last.broker === broker) last.queues.push(queue);
      else lines.push({ broker, queues: [queue] });
    }
    return lines;
  }

  /** One line for each broker, where order is of no matter. */
  places(queues: readonly string[]): Line[] {
    const places = new Map<Broker | undefined, string[]>();
    for (const queue of queues) {
      const broker = this.of(queue);
      places.set(broker, [...(places.get(broker) ?? []), queue]);
    }
    return [...places].map(([broker, own]) => ({ broker, queues: own }));
  }
}
