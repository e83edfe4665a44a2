import type { ArgsOf, brand, Fn, KnownTask, Target, TargetResult, TaskRef } from "../core/task-types.js";

/** Stands for the result of the link before. Made by {@link previous}. */
export interface Previous {
  readonly [brand]: "previous";
}

/** Arguments in which `previous()` may stand for each, or for a value inside an object or array. */
type Linked<P extends readonly unknown[]> = { [K in keyof P]: OrPrevious<P[K]> };
type OrPrevious<T> =
  | T
  | Previous
  | (T extends Leaf ? never : T extends object ? { [K in keyof T]: OrPrevious<T[K]> } : never);
type Leaf =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | Fn
  | Date
  | RegExp
  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever members
  | Map<any, any>
  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever members
  | Set<any>
  | ArrayBufferView;

/** What the `previous()`s inside `A` must be, as a union of one-tuples. */
type NeedOf<A, P> = A extends Previous
  ? [P]
  : A extends Leaf
    ? never
    : A extends object
      ? {
          [K in KeysOf<A>]: NeedOf<A[K], K extends keyof P ? P[K] : P extends readonly (infer X)[] ? X : unknown>;
        }[KeysOf<A>]
      : never;
type KeysOf<A> = keyof A & (A extends readonly unknown[] ? `${number}` : string);

/** One request as a value, for {@link EnqueueVerbs.asyncTasks} and {@link EnqueueVerbs.asyncChain}. */
export interface Link<R = unknown, N = never> {
  readonly [brand]: { readonly result: R; readonly need: N };
}

/** The type of {@link link}. */
export type DefineLink = <T extends Target, A extends Linked<ArgsOf<T>>>(
  target: KnownTask<T>,
  ...args: A
) => Link<TargetResult<T>, NeedOf<A, ArgsOf<T>>>;

/** The type of {@link parallel}. */
export type DefineParallel = <const L extends readonly ChainLink[]>(links: L) => Link<Results<L>, NeedIn<L[number]>>;

/** What a chain is made of: links, and tasks or names that take no arguments. */
// oxlint-disable-next-line typescript/no-explicit-any -- a ref of whatever target
export type ChainLink = AnyLink | (() => unknown) | TaskRef<any> | string;

interface AnyLink {
  readonly [brand]: { readonly result: unknown; readonly need: unknown };
}

/** The result of a link. */
export type Got<L> = L extends { readonly [brand]: { readonly result: infer R } }
  ? R
  : L extends Target
    ? TargetResult<L>
    : never;

/** The results of links, in their places. */
export type Results<L extends readonly unknown[]> = { -readonly [K in keyof L]: Got<L[K]> };

type NeedIn<L> = L extends { readonly [brand]: { readonly need: infer N } } ? N : never;
type Misfit<R, N> = unknown extends R ? never : N extends [infer X] ? ([R] extends [X] ? never : X) : never;

/** Each link as it is, or, where `previous()` does not fit, a text that says so. Mapped, not recursive: chains may be long. */
export type Checked<L extends readonly unknown[]> = L extends readonly []
  ? ["a chain needs at least one link"]
  : { [K in keyof L]: Fit<L[K], [First, ...L][K & keyof [First, ...L]]> };
type Fit<H, Before> = [NeedIn<H>] extends [never]
  ? H
  : Before extends First
    ? "previous() has no link before it"
    : [Misfit<Got<Before>, NeedIn<H>>] extends [never]
      ? H
      : {
          "previous() does not fit": {
            "the link before gives": Got<Before>;
            "this argument takes": Misfit<Got<Before>, NeedIn<H>>;
          };
        };
interface First {
  readonly [brand]: "first";
}

/** The id of a chain. A string that remembers what its links return. */
export type ChainId<L extends readonly unknown[] = readonly unknown[]> = string & {
  readonly [brand]: { readonly results: L };
};
