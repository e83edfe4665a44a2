import { OptionError } from "../errors.js";
import { quote } from "../core/quote.js";
import type { DefineLink } from "./types.js";

/** A target with its arguments, before anything was checked. */
export interface LinkParts {
  readonly target: unknown;
  readonly args: readonly unknown[];
}

const key = Symbol.for("qluster.link.1");

/**
 * One request as a value, for `asyncTasks`.
 *
 * @example
 * await asyncTasks([link(resize, "a1", 300), link("core.tasks.moderateReview", 42)]);
 */
export const link: DefineLink = ((target: unknown, ...args: readonly unknown[]) =>
  Object.freeze({ [key]: { target, args } })) as unknown as DefineLink;

/** @throws {OptionError} when `value` was not made by {@link link}. */
export function partsOf(value: unknown, index: number): LinkParts {
  const parts =
    typeof value === "object" && value !== null ? (value as { readonly [key]?: LinkParts })[key] : undefined;
  if (parts !== undefined) return parts;
  throw new OptionError(`asyncTasks got ${quote(value)} at place ${index}; expected link(task, …its arguments).`);
}
