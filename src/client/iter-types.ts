import type { Duration, Hook } from "../core/task-types.js";
import type { TaskFailedError } from "../errors.js";

/** One element: the arguments in an array; or the bare argument, where one is enough and it is not an array. */
export type Element<A extends readonly unknown[]> = unknown[] extends A
  ? unknown
  : Readonly<A> | ([A[0]] extends A ? Bare<A[0]> : never);
type Bare<X> = unknown extends X ? never : [Extract<X, readonly unknown[]>] extends [never] ? X : never;

/** What an iterable is made of. */
export type Elements<A extends readonly unknown[]> =
  | readonly Element<A>[]
  | Iterable<Element<A>>
  | AsyncIterable<Element<A>>;

/** What may be said of an iterable, beside the options of its task. */
export interface IterOptions<R = unknown> {
  /** Called once, with the record of all: `result` is the list. The task's own hook is called with each element. */
  hook?: Hook<R[]> | undefined;
  /** Called in this process while elements are being enqueued, with how many are by now. */
  onProgress?: ((enqueued: number) => void) | undefined;
  /** Failed when it has not ended after so long. Default `"7d"`. */
  expires?: Duration | undefined;
  /** Ends the enqueueing: the iterable is cancelled, and the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How one element ended. */
export type IterElement<R = unknown> =
  | { readonly index: number; readonly success: true; readonly result: R; readonly error: undefined }
  | { readonly index: number; readonly success: false; readonly result: undefined; readonly error: TaskFailedError };
