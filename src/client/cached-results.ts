import type { Cache } from "../contracts/cache.js";
import type { StoredTask } from "../contracts/store.js";
import { cacheKeyOf } from "../core/cached-result.js";
import { ResultExpiredError } from "../errors.js";

/** Results that the cache keeps, beside the records of their tasks. */
export class CachedResults {
  readonly #cache: () => Promise<Cache>;
  /** Where the results of tasks are that were completed here. */
  readonly #keys = new WeakMap<StoredTask, string>();

  constructor(cache: () => Promise<Cache>) {
    this.#cache = cache;
  }

  /** The task with its result; `undefined` when that has expired. */
  async complete(task: StoredTask): Promise<StoredTask | undefined> {
    const key = cacheKeyOf(task);
    if (key === undefined) return task;
    const entry = await (await this.#cache()).get(key);
    if (entry === undefined) return undefined;
    const complete = { ...task, result: entry.value };
    this.#keys.set(complete, key);
    return complete;
  }

  /** @throws {ResultExpiredError} */
  async whole(task: StoredTask): Promise<StoredTask> {
    const complete = await this.complete(task);
    if (complete === undefined) throw new ResultExpiredError(task.id);
    return complete;
  }

  /** Those whose results have not expired. */
  async live(tasks: readonly StoredTask[]): Promise<StoredTask[]> {
    const complete = await Promise.all(tasks.map(async (task) => await this.complete(task)));
    return complete.filter((task) => task !== undefined);
  }

  /** Keeps the result of a task that was completed here without limit. `false`: it has expired since. */
  async save(task: StoredTask): Promise<boolean> {
    const key = this.#keys.get(task);
    if (key === undefined) return true;
    const cache = await this.#cache();
    const entry = await cache.get(key);
    if (entry === undefined) return false;
    await cache.set(key, entry.value, null);
    return true;
  }

  /** `false`: the cache has nothing of it. */
  async delete(task: Pick<StoredTask, "id" | "result">): Promise<boolean> {
    const key = cacheKeyOf(task);
    return key !== undefined && (await (await this.#cache()).delete(key));
  }

  async forget(tasks: readonly StoredTask[]): Promise<void> {
    const cache = await this.#cache();
    const keys = tasks.flatMap((task) => cacheKeyOf(task) ?? []);
    await Promise.all(keys.map(async (key) => await cache.delete(key)));
  }
}
