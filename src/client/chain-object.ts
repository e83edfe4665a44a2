import type { ArgsOf, Duration, KnownTask, Target } from "../core/task-types.js";
import type { ChainId, ChainLink } from "./chain-types.js";
import { link } from "./link.js";
import type { ChainOptions, FetchedTask, Qluster } from "./types.js";

type Verbs = Pick<Qluster, "asyncChain" | "resultGroup" | "fetchGroup" | "countGroup" | "deleteGroup">;
type LooseChain = (links: readonly unknown[], options: ChainOptions) => Promise<ChainId>;
type LooseLink = (target: unknown, ...args: readonly unknown[]) => ChainLink;

/**
 * A chain as an object: append links, run it, read it. A link appended after a run takes the label off what has run, and the
 * chain has to run again.
 *
 * Counterpart in Django Q2: `django_q.tasks.Chain`. Links are not checked against each other by the compiler; `asyncChain` does that.
 */
export class Chain {
  readonly #q: Verbs;
  readonly #options: ChainOptions;
  #links: readonly ChainLink[];
  #id: ChainId | undefined;

  constructor(q: Verbs, links: readonly ChainLink[] = [], options: ChainOptions = {}) {
    this.#q = q;
    this.#links = [...links];
    this.#options = { ...options };
  }

  /** Its id; `undefined` when it has not run as it is now. */
  get id(): ChainId | undefined {
    return this.#id;
  }

  /** The label of its links: `group`, or its id. */
  get group(): string | undefined {
    return this.#options.group ?? this.#id;
  }

  get started(): boolean {
    return this.#id !== undefined;
  }

  /** @returns How many links it has now. */
  async append<T extends Target>(target: KnownTask<T>, ...args: ArgsOf<T>): Promise<number> {
    const { group } = this;
    this.#links = [...this.#links, (link as unknown as LooseLink)(target, ...args)];
    if (this.#id !== undefined && group !== undefined) await this.#q.deleteGroup(group);
    this.#id = undefined;
    return this.#links.length;
  }

  async run(): Promise<ChainId> {
    return (this.#id = await (this.#q.asyncChain as unknown as LooseChain)(this.#links, this.#options));
  }

  /** Results in the order of the links, once all have ended or the chain has; `undefined` before, and when it has not run. */
  async result(wait: Duration = 0): Promise<readonly unknown[] | undefined> {
    if (this.#id === undefined) return undefined;
    return await this.#q.resultGroup(this.#id, { count: this.length(), wait });
  }

  async fetch(failures = true, wait: Duration = 0): Promise<FetchedTask[] | undefined> {
    if (this.#id === undefined) return undefined;
    return await this.#q.fetchGroup(this.#id, { failures, count: this.length(), wait });
  }

  /** How many links have ended; `undefined` when it has not run. */
  async current(): Promise<number | undefined> {
    return this.#id === undefined ? undefined : await this.#q.countGroup(this.#id);
  }

  length(): number {
    return this.#links.length;
  }
}
