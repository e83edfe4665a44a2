import type { Backend } from "../../src/contracts/backend.js";
import type { Consumer } from "../../src/contracts/broker.js";
import type { Hold } from "../../src/contracts/outbox.js";

/** A place where a process dies: right before a call goes out, or right after it was answered, the nth time. */
export interface DeathPoint {
  readonly when: "before" | "after";
  /** `store.finish`, `broker.enqueue`, `hold.begin`, `carrier.acknowledge` … */
  readonly call: string;
  readonly nth: number;
}

/** A process that dies at a point: from then on none of its calls goes out or comes back. */
export class Mortal {
  readonly #point: DeathPoint;
  #left: number;
  #dead = false;
  #die!: () => void;
  /** Resolves at its death. */
  readonly died: Promise<"died"> = new Promise((resolve) => (this.#die = () => resolve("died")));

  constructor(point: DeathPoint) {
    this.#point = point;
    this.#left = point.nth;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  store(backend: Backend): Backend {
    const { outbox } = backend;
    const hold = async (...given: Parameters<NonNullable<Backend["outbox"]>["hold"]>): Promise<Hold> =>
      this.#mortal("hold", await outbox!.hold(...given));
    return {
      ...backend,
      store: this.#mortal("store", backend.store),
      outbox: { ...this.#mortal("outbox", outbox!), hold },
    };
  }

  broker(backend: Backend): Backend {
    const consume = async (...given: Parameters<Backend["broker"]["consume"]>): Promise<Consumer> =>
      this.#mortal("carrier", await backend.broker.consume(...given));
    return { ...backend, broker: { ...this.#mortal("broker", backend.broker), consume } };
  }

  /** The same object, with calls that may be the last ones. */
  #mortal<T extends object>(name: string, target: T): T {
    const calls = new Map<string, unknown>();
    const keys = [...Object.keys(target), ...Object.getOwnPropertyNames(Object.getPrototypeOf(target) as object)];
    for (const key of new Set(keys)) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function" || key === "constructor" || key === "watch") calls.set(key, value);
      else calls.set(key, (...given: unknown[]) => this.#call(`${name}.${key}`, () => value.apply(target, given)));
    }
    return Object.fromEntries(calls) as T;
  }

  async #call(call: string, go: () => unknown): Promise<unknown> {
    const { when } = this.#point;
    const isLast = call === this.#point.call && --this.#left === 0;
    if (isLast && when === "before") this.#end();
    if (this.#dead) return await forever;
    const answer = await go();
    if (isLast) this.#end();
    return this.#dead ? await forever : answer;
  }

  #end(): void {
    this.#dead = true;
    this.#die();
  }
}

const forever = new Promise<never>(() => {});
