import type { RetentionLimits } from "../../contracts/store.js";
import { expireFlows } from "./flow-cancel.js";
import type { RedisProject } from "./project.js";

/** Tasks in one call of the script: others get their turn in between. */
const step = 256;
/** Functions, names or groups in one call of the script; it knows the same number. */
const partsAtOnce = 100;
/** Tasks that one call of `clean` removes by their number: the rest is for the next one. */
const mostSurplus = 100_000;

type StepReply = readonly [removed: number, next: string, kept: string];

/** Removes finished tasks by the retention limits. */
export class Cleaner {
  readonly #project: RedisProject;
  /** Below it nothing in the list is left to remove by age: what stands there is kept longer, and not walked over again. */
  readonly #from = new Map<string, string>();
  #groupMs: number | undefined;

  constructor(project: RedisProject) {
    this.#project = project;
  }

  /** Resolves to the number of tasks removed. */
  async clean(limits: RetentionLimits): Promise<number> {
    const { successesMs, failuresMs, successesCount, per, groupMs } = limits;
    await expireFlows(this.#project);
    let removed = 0;
    // Tasks, hooks, and the records of flows, which go by their age alone.
    for (const kind of ["t", "h", "f"]) {
      if (successesMs !== null) removed += await this.#removeOld(`done:${kind}s`, successesMs, groupMs);
      if (failuresMs !== null) removed += await this.#removeOld(`done:${kind}f`, failuresMs, groupMs);
      if (successesCount !== null && per === null && kind !== "f") {
        removed += await this.#removeSurplus(`done:${kind}s`, successesCount, groupMs);
      }
    }
    if (successesCount !== null && per !== null) removed += await this.#removeOfEach(per, successesCount, groupMs);
    await this.#project.run("clean", ["rest"]);
    return removed;
  }

  /** Starts where the first one stood that had to stay the last time: lists are in the order of the ends. */
  async #removeOld(list: string, ageMs: number, groupMs: number): Promise<number> {
    if (this.#groupMs !== groupMs) this.#from.clear();
    this.#groupMs = groupMs;
    const start = this.#from.get(list) ?? "-inf";
    return await this.#walk(
      start,
      (from) => ["old", list, ageMs, groupMs, from, step],
      (first) => {
        if (first !== undefined) this.#from.set(list, String(BigInt(first) - 1n));
      },
    );
  }

  #removeSurplus(list: string, count: number, groupMs: number): Promise<number> {
    return this.#walk("-inf", (from) => ["surplus", list, count, groupMs, from, step]);
  }

  /** Steps through a list. @param whenDone - Gets the place of the first task that had to stay. */
  async #walk(
    start: string,
    values: (from: string) => readonly (string | number)[],
    whenDone?: (firstKept: string | undefined) => void,
  ): Promise<number> {
    let removed = 0;
    let firstKept: string | undefined;
    for (let from = start; from !== "-1" && removed < mostSurplus;) {
      const [some, next, kept] = await this.#project.run<StepReply>("clean", values(from));
      removed += some;
      if (kept !== "-1") firstKept ??= kept;
      from = next;
    }
    whenDone?.(firstKept);
    return removed;
  }

  async #removeOfEach(per: NonNullable<RetentionLimits["per"]>, count: number, groupMs: number): Promise<number> {
    for (const list of ["done:ts", "done:hs"]) {
      while ((await this.#project.run<number>("clean", ["sort", list, per, step])) > 0);
    }
    let removed = 0;
    for (let passed = 0; removed < mostSurplus;) {
      const [some, seen] = await this.#project.run<[number, number]>("clean", ["parts", count, groupMs, step, passed]);
      removed += some;
      if (some > 0) continue;
      if (seen < partsAtOnce) break;
      // Nothing of these may go now.
      passed += partsAtOnce;
    }
    return removed;
  }
}
