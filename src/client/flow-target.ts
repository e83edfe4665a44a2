import type { FlowKind } from "../contracts/flows.js";
import type { ArgsOf, brand, Duration, Hook, KnownTask, Target, TargetResult } from "../core/task-types.js";
import type { ChainLink, Checked, Link } from "./chain-types.js";
import type { Element } from "./iter-types.js";
import type { BatchOptions, ChainOptions } from "./types.js";

/** A chain, an iterable or a batch as a value: what each slot of a schedule opens. */
export interface FlowTarget {
  readonly [brand]: { readonly opens: FlowKind };
}

/** What may be said of an iterable that a schedule opens. */
export interface ScheduledIterOptions<R = unknown> {
  /** Called once, with the record of all: `result` is the list. The task's own hook is called with each element. */
  hook?: Hook<R[]> | undefined;
  /** Failed when it has not ended after so long. Default `"7d"`. */
  expires?: Duration | undefined;
}

/** What may be said of a batch that a schedule opens. Its members are those that it is made of. */
export interface ScheduledBatchOptions extends Omit<BatchOptions, "size"> {
  /** The label of its members. Default: the schedule's group. */
  name?: string | undefined;
}

/** The type of {@link chainOf}. */
export type DefineChainTarget = <const L extends readonly ChainLink[]>(
  links: L & Checked<L>,
  options?: Omit<ChainOptions, "sync" | "cached">,
) => FlowTarget;

/** The type of {@link iterOf}. */
export type DefineIterTarget = <T extends Target>(
  target: KnownTask<T>,
  elements: readonly Element<ArgsOf<T>>[] | Iterable<Element<ArgsOf<T>>>,
  options?: ScheduledIterOptions<TargetResult<T>>,
) => FlowTarget;

/** The type of {@link batchOf}. */
export type DefineBatchTarget = (links: readonly Link[], options?: ScheduledBatchOptions) => FlowTarget;

/** What was written, before anything was checked. */
export type FlowTargetParts =
  | { readonly kind: "chain" | "batch"; readonly links: unknown; readonly options: unknown }
  | { readonly kind: "iter"; readonly target: unknown; readonly elements: unknown; readonly options: unknown };

const key = Symbol.for("qluster.flow-target.1");

/**
 * A chain for a schedule: each slot opens one, as `asyncChain` does.
 *
 * @example
 * await schedule(chainOf([link(prepareReport), link(sendReport, previous())]), { type: "DAILY", at: "03:00", name: "report" });
 */
export const chainOf: DefineChainTarget = (links: unknown, options?: unknown) =>
  made({ kind: "chain", links, options });

/**
 * An iterable for a schedule: each slot runs the task once for each element, as `asyncIter` does. The elements are read now, and
 * must fit into one message (`maxMessage`) together.
 *
 * @example
 * await schedule(iterOf(refreshFeed, ["news", "jobs"]), { every: "10m", name: "feeds" });
 */
export const iterOf: DefineIterTarget = (target: unknown, elements: unknown, options?: unknown) =>
  made({ kind: "iter", target, elements, options });

/**
 * A batch for a schedule: each slot runs these tasks side by side, and calls others when all of them have ended, as `q.batch` does.
 *
 * @example
 * await schedule(batchOf([link(cleanUp, "logs"), link(cleanUp, "mail")], { onFailure: tellSomebody }), { type: "DAILY", at: "04:00" });
 */
export const batchOf: DefineBatchTarget = (links: unknown, options?: unknown) =>
  made({ kind: "batch", links, options });

/** `undefined` when `value` is none of these. */
export function flowTargetParts(value: unknown): FlowTargetParts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { readonly [key]?: FlowTargetParts })[key];
}

function made(parts: FlowTargetParts): FlowTarget {
  return Object.freeze({ [key]: parts }) as unknown as FlowTarget;
}
