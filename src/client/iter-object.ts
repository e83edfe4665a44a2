import type { ArgsOf, Duration, KnownTask, ResultOf, Target, TargetResult, TaskId } from "../core/task-types.js";
import type { IterOptions } from "./iter-types.js";
import type { FetchedTask, Qluster } from "./types.js";

type Verbs = Pick<Qluster, "asyncIter" | "result" | "fetch">;
type LooseIter = (target: unknown, elements: readonly unknown[], options: unknown) => Promise<string>;

/**
 * An iterable as an object: append arguments, run it, read it. What is appended after a run makes it unread until the next one.
 *
 * Counterpart in Django Q2: `django_q.tasks.Iter`.
 */
export class Iter<T extends Target = string> {
  readonly #q: Verbs;
  readonly #target: KnownTask<T>;
  readonly #options: IterOptions<TargetResult<T>>;
  #elements: readonly ArgsOf<T>[];
  #id: string | undefined;

  /** @param elements - The arguments of each element. */
  constructor(
    q: Verbs,
    target: KnownTask<T>,
    elements: readonly ArgsOf<T>[] = [],
    options: IterOptions<TargetResult<T>> = {},
  ) {
    this.#q = q;
    this.#target = target;
    this.#elements = [...elements];
    this.#options = { ...options };
  }

  /** `undefined` when it has not run as it is now. */
  get id(): string | undefined {
    return this.#id;
  }

  get started(): boolean {
    return this.#id !== undefined;
  }

  /** @returns How many elements it has now. */
  append(...args: ArgsOf<T>): number {
    this.#elements = [...this.#elements, args];
    this.#id = undefined;
    return this.#elements.length;
  }

  async run(): Promise<TaskId<TargetResult<T>[]>> {
    this.#id = await (this.#q.asyncIter as unknown as LooseIter)(this.#target, this.#elements, this.#options);
    return this.#id as TaskId<TargetResult<T>[]>;
  }

  /** The list; `undefined` when it has not run as it is now, or has not finished in time. */
  async result(wait: Duration = 0): Promise<ResultOf<TargetResult<T>[]> | undefined> {
    if (this.#id === undefined) return undefined;
    return await this.#q.result<TargetResult<T>[]>(this.#id, { wait });
  }

  async fetch(wait: Duration = 0): Promise<FetchedTask<TargetResult<T>[]> | undefined> {
    if (this.#id === undefined) return undefined;
    return await this.#q.fetch<TargetResult<T>[]>(this.#id, { wait });
  }

  length(): number {
    return this.#elements.length;
  }
}
