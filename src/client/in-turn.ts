import { QlusterError } from "../errors.js";

/** One after the other; a promise from the first that `work` gives. */
export function eachInTurn<T, U>(
  items: readonly T[],
  work: (item: T, index: number) => U | Promise<U>,
): U[] | Promise<U[]> {
  const done: U[] = [];
  while (done.length < items.length) {
    const one = work(items[done.length]!, done.length);
    if (one instanceof Promise) return theRest(done, one, items, work);
    done.push(one);
  }
  return done;
}

async function theRest<T, U>(
  done: U[],
  first: Promise<U>,
  items: readonly T[],
  work: (item: T, index: number) => U | Promise<U>,
): Promise<U[]> {
  done.push(await first);
  while (done.length < items.length) done.push(await work(items[done.length]!, done.length));
  return done;
}

/** In this very turn, unless there is something to wait for. */
export function after<T, U>(value: T | Promise<T>, work: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(work) : work(value);
}

/** Says where something was refused. @param where - `place 3 of asyncIter`. */
export function placed<T>(where: string, work: () => T | Promise<T>): T | Promise<T> {
  const say = (error: unknown): never => {
    if (error instanceof QlusterError) error.message = `At ${where}: ${error.message}`;
    throw error;
  };
  try {
    const done = work();
    return done instanceof Promise ? done.catch(say) : done;
  } catch (error) {
    return say(error);
  }
}
