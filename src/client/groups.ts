import type { Store } from "../contracts/store.js";
import { checkLength } from "../core/names.js";
import type { FinishedTask } from "../core/task-types.js";
import { OptionError } from "../errors.js";
import { boundedInteger, filledText, trueOrFalse } from "./option-checks.js";
import { failureOf, patienceOf, recordOf, resultOf, type Opener } from "./reader.js";
import type { GroupOptions } from "./types.js";
import type { Waiters } from "./waiters.js";

const waitOptions = ["wait", "signal", "count", "failures"];

/** The verbs about groups. Counterpart in Django Q2: `result_group`, `fetch_group`, `count_group`, `delete_group`. */
export class Groups {
  readonly #store: () => Promise<Store>;
  readonly #waiters: Waiters;
  readonly #opener: Opener;

  constructor(store: () => Promise<Store>, waiters: Waiters, opener: Opener) {
    this.#store = store;
    this.#waiters = waiters;
    this.#opener = opener;
  }

  async results(group: string, options?: GroupOptions): Promise<unknown[] | undefined> {
    const failures = trueOrFalse(options?.failures, "failures") ?? false;
    if (!(await this.#isReady(group, options))) return undefined;
    const store = await this.#store();
    const tasks = await store.group(group, { which: failures ? "all" : "succeeded" });
    return tasks.map((task) => (task.state === "succeeded" ? resultOf(task, this.#opener) : failureOf(task)));
  }

  async records(group: string, options?: GroupOptions): Promise<FinishedTask[] | undefined> {
    const failures = trueOrFalse(options?.failures, "failures") ?? true;
    if (!(await this.#isReady(group, options))) return undefined;
    const store = await this.#store();
    const tasks = await store.group(group, { which: failures ? "all" : "succeeded" });
    return tasks.map((task) => recordOf(task, this.#opener));
  }

  async count(group: string, options: { readonly failures?: boolean | undefined } = {}): Promise<number> {
    checkGroup(group);
    checkKeys(options, ["failures"]);
    const which = trueOrFalse(options.failures, "failures") === true ? "failed" : "all";
    return await (await this.#store()).countGroup(group, which);
  }

  async delete(group: string, options: { readonly tasks?: boolean | undefined } = {}): Promise<number> {
    checkGroup(group);
    checkKeys(options, ["tasks"]);
    const tasks = trueOrFalse(options.tasks, "tasks") ?? false;
    return await (await this.#store()).deleteGroup(group, { tasks });
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
