/** Work that may have to wait for something on its way: each promise that it yields. */
export type Waits<T> = Generator<Promise<unknown>, T, unknown>;

/** The value, waited for only when it is a promise. */
export function* settledOf<T>(value: T | Promise<T>): Waits<T> {
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** Does the work: in this very turn of the loop when nothing has to be waited for. A promise only otherwise. */
export function run<T>(work: Waits<T>): T | Promise<T> {
  const first = work.next();
  return first.done === true ? first.value : goOn(work, first.value);
}

async function goOn<T>(work: Waits<T>, first: Promise<unknown>): Promise<T> {
  for (let waited = first; ;) {
    const step = await waited.then(
      (value) => work.next(value),
      (error: unknown) => work.throw(error),
    );
    if (step.done === true) return step.value;
    waited = step.value;
  }
}
