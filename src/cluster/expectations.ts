/** The weight of a new observation in the moving averages. */
const weight = 0.2;

/** How long tasks are expected to take, from how long they took: a moving average for each name, and one for all. */
export class Expectations {
  readonly #byName = new Map<string, number>();
  #overall: number | undefined;

  learn(func: string, ms: number): void {
    this.#byName.set(func, averaged(this.#byName.get(func), ms));
    this.#overall = averaged(this.#overall, ms);
  }

  /** In milliseconds; `undefined` for a name that has not been seen. */
  of(func: string): number | undefined {
    return this.#byName.get(func);
  }

  /** Over all names, in milliseconds. */
  get overall(): number | undefined {
    return this.#overall;
  }
}

/** One slow call of a quick task says little, ten of them a lot: what is far above the average is counted as somewhat above. */
function averaged(before: number | undefined, ms: number): number {
  return before === undefined ? ms : before + weight * (Math.min(ms, 4 * before + 20) - before);
}
