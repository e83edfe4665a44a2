import type { StoredFlow } from "../contracts/flows.js";
import type { Store, StoredTask } from "../contracts/store.js";
import { isFlow } from "../core/finished-task.js";
import { checkLength } from "../core/names.js";
import { OptionError } from "../errors.js";
import { boundedInteger, filledText, trueOrFalse } from "./option-checks.js";
import type { CachedResults } from "./cached-results.js";
import { fetchedTask } from "./fetched-task.js";
import { FlowReader } from "./flow-reader.js";
import { failureOf, patienceOf, recordOf, resultOf, type Opener } from "./reader.js";
import type { FetchedTask, GroupOptions } from "./types.js";
import type { Waiters } from "./waiters.js";

const waitOptions = ["wait", "signal", "cached", "count", "failures"];

/** The verbs about groups. Counterpart in Django Q2: `result_group`, `fetch_group`, `count_group`, `delete_group`. */
export class Groups {
  readonly #store: () => Promise<Store>;
  readonly #waiters: Waiters;
  readonly #opener: Opener;

  readonly #flows: FlowReader;

  readonly #cached: CachedResults;

  constructor(store: () => Promise<Store>, waiters: Waiters, opener: Opener, cached: CachedResults) {
    this.#store = store;
    this.#cached = cached;
    this.#flows = new FlowReader(store, opener);
    this.#waiters = waiters;
    this.#opener = opener;
  }

  async results(group: string, options?: GroupOptions): Promise<unknown[] | undefined> {
    const failures = trueOrFalse(options?.failures, "failures") ?? false;
    const flow = await this.#flowOf(group);
    if (flow !== undefined) {
      const ready = await this.#readyFlow(flow, options);
      return ready === undefined ? undefined : await this.#flows.results(ready, failures);
    }
    if (!(await this.#isReady(group, options))) return undefined;
    const store = await this.#store();
    const tasks = await this.#live(await store.group(group, { which: failures ? "all" : "succeeded" }));
    return await Promise.all(
      tasks.map((task) => {
        if (task.state !== "succeeded") return failureOf(task);
        return isFlow(task.kind) ? this.#flows.resultOf(task) : resultOf(task, this.#opener);
      }),
    );
  }

  async records(group: string, options?: GroupOptions): Promise<FetchedTask[] | undefined> {
    const failures = trueOrFalse(options?.failures, "failures") ?? true;
    const flow = await this.#flowOf(group);
    if (flow !== undefined) {
      const ready = await this.#readyFlow(flow, options);
      if (ready === undefined) return undefined;
      const tasks = await this.#flows.tasks(ready, failures);
      return await Promise.all(tasks.map(async (task) => await this.record(task)));
    }
    if (!(await this.#isReady(group, options))) return undefined;
    const store = await this.#store();
    const tasks = await this.#live(await store.group(group, { which: failures ? "all" : "succeeded" }));
    return await Promise.all(tasks.map(async (task) => await this.record(task)));
  }

  /** The record of a task or a flow, whose result is at hand. */
  async record(task: StoredTask): Promise<FetchedTask> {
    const record = isFlow(task.kind) ? await this.#flows.recordOf(task) : recordOf(task, this.#opener);
    return fetchedTask(record, task, () => this, this.#cached);
  }

  /** Without those whose result has expired, with the results that the cache has. */
  async #live(tasks: readonly StoredTask[]): Promise<StoredTask[]> {
    const live = await this.#cached.live(tasks);
    const isOver = await Promise.all(
      live.map(async (task) => isFlow(task.kind) && (await this.#flows.hasExpired(task))),
    );
    return live.filter((_, index) => isOver[index] !== true);
  }

  async count(
    group: string,
    options: { readonly failures?: boolean | undefined; readonly cached?: boolean | undefined } = {},
  ): Promise<number> {
    checkGroup(group);
    checkKeys(options, ["failures", "cached"]);
    const which = trueOrFalse(options.failures, "failures") === true ? "failed" : "all";
    const flow = await this.#flowOf(group);
    if (flow !== undefined) return which === "failed" ? flow.failed : flow.done;
    return await (await this.#store()).countGroup(group, which);
  }

  async delete(
    group: string,
    options: { readonly tasks?: boolean | undefined; readonly cached?: boolean | undefined } = {},
  ): Promise<number> {
    checkGroup(group);
    checkKeys(options, ["tasks", "cached"]);
    const tasks = trueOrFalse(options.tasks, "tasks") ?? false;
    const cached = trueOrFalse(options.cached, "cached") ?? false;
    const store = await this.#store();
    if (cached) await this.#cached.forget(await store.group(group, { which: "succeeded" }));
    return await store.deleteGroup(group, { tasks: tasks || cached });
  }

  /** A chain or an iterable that is meant by its id. */
  async #flowOf(group: unknown): Promise<StoredFlow | undefined> {
    const flow = typeof group === "string" ? await this.#flows.find(group) : undefined;
    return flow?.kind === "batch" ? undefined : flow;
  }

  /** Waits until the flow has ended, or `count` of its members have. A flow that has ended has no more to wait for. */
  async #readyFlow(flow: StoredFlow, options: GroupOptions | undefined): Promise<StoredFlow | undefined> {
    const count = boundedInteger(options?.count, "count", 0, Number.MAX_SAFE_INTEGER);
    const patience = patienceOf(options, waitOptions, count === undefined ? 0 : Infinity);
    const isLook = count === undefined && patience.waitMs === 0;
    const goal = { kind: "flow", id: flow.id, count: isLook ? 1 : (count ?? Infinity) } as const;
    const isReady = (await this.#waiters.wait(goal, patience)) === true;
    return isReady ? await this.#flows.find(flow.id) : undefined;
  }

  /** Waits for `count` finished members; without `count`, for the first one. */
  async #isReady(group: string, options: GroupOptions | undefined): Promise<boolean> {
    checkGroup(group);
    const count = boundedInteger(options?.count, "count", 0, Number.MAX_SAFE_INTEGER);
    const patience = patienceOf(options, waitOptions, count === undefined ? 0 : Infinity);
    if (count === 0) return true;
    return (await this.#waiters.wait({ kind: "group", group, count: count ?? 1 }, patience)) === true;
  }
}

function checkGroup(group: unknown): void {
  checkLength("group", filledText(group, "group"), 100);
}

function checkKeys(options: object, known: readonly string[]): void {
  const strange = Object.keys(options).find((key) => !known.includes(key));
  if (strange === undefined) return;
  throw new OptionError(`There is no option "${strange}" here. Known are: ${known.join(", ")}.`);
}
