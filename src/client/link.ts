import { handleOf } from "../core/handle.js";
import { previousMark } from "../core/previous.js";
import { quote } from "../core/quote.js";
import { OptionError } from "../errors.js";
import type { DefineLink, DefineParallel, Previous } from "./chain-types.js";

/** A target with its arguments, before anything was checked. */
export interface LinkParts {
  readonly target: unknown;
  readonly args: readonly unknown[];
}

/** Links that run side by side. */
interface ParallelParts {
  readonly parallel: readonly unknown[];
}

const key = Symbol.for("qluster.link.1");

/**
 * One request as a value, for `asyncTasks` and `asyncChain`. Options ride on the task: `link(resize.with({ timeout: "1m" }), …)`.
 *
 * @example
 * await asyncTasks([link(resize, "a1", 300), link("core.tasks.moderateReview", 42)]);
 */
export const link: DefineLink = ((target: unknown, ...args: readonly unknown[]) =>
  Object.freeze({ [key]: { target, args } })) as unknown as DefineLink;

/**
 * One step of a chain in which several links run side by side. `previous()` in each of them is the result of the link before; the
 * next link's `previous()` is the array of their results.
 *
 * @throws {OptionError} without any link.
 * @example
 * await asyncChain([link(findReview, 1), parallel([link(checkSpam, previous()), link(checkWords, previous())]), link(decide, previous())]);
 */
export const parallel: DefineParallel = ((links: readonly unknown[]) => {
  if (!Array.isArray(links)) throw new OptionError(`parallel got ${quote(links)}; expected an array of link(…).`);
  if (links.length === 0) throw new OptionError("parallel got no link. Give at least one: parallel([link(task, …)]).");
  return Object.freeze({ [key]: { parallel: [...(links as readonly unknown[])] } });
}) as unknown as DefineParallel;

/** Stands for the result of the link before: as an argument of a link, or anywhere inside an object or array among them. */
export function previous(): Previous {
  return previousMark as unknown as Previous;
}

/** @throws {OptionError} when `value` was not made by {@link link}. */
export function partsOf(value: unknown, index: number, verb = "asyncTasks"): LinkParts {
  const parts = made(value);
  if (parts !== undefined && "target" in parts) return parts;
  throw new OptionError(`${verb} got ${quote(value)} at place ${index}; expected link(task, …its arguments).`);
}

/** One step of a chain: its links, and whether they were put into `parallel`. */
export interface StepParts {
  readonly links: readonly LinkParts[];
  readonly parallel: boolean;
}

/** @throws {OptionError} for an empty chain, and for what is no link. */
export function stepsOf(links: unknown, verb = "asyncChain"): StepParts[] {
  if (!Array.isArray(links)) throw new OptionError(`${verb} got ${quote(links)}; expected an array of link(…).`);
  if (links.length === 0) {
    throw new OptionError(`${verb} got no link. A chain needs at least one: ${verb}([link(task, …its arguments)]).`);
  }
  return links.map((value: unknown, index) => {
    const parts = made(value);
    if (parts === undefined || "target" in parts) return { links: [linkOf(value, index, verb)], parallel: false };
    return { links: parts.parallel.map((inner) => linkOf(inner, index, verb)), parallel: true };
  });
}

/** A link, or a task that takes no arguments, by itself. */
function linkOf(value: unknown, index: number, verb: string): LinkParts {
  if (made(value) === undefined && isTarget(value)) return { target: value, args: [] };
  return partsOf(value, index, verb);
}

function isTarget(value: unknown): boolean {
  return typeof value === "string" || typeof value === "function" || handleOf(value) !== undefined;
}

function made(value: unknown): LinkParts | ParallelParts | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as { readonly [key]?: LinkParts | ParallelParts })[key];
}
