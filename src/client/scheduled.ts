import { typeCodes } from "../core/schedule/rule.js";
import { OptionError } from "../errors.js";
import { quote } from "../core/quote.js";
import type { Declared, DefineScheduled, Schedule as StoredAs } from "./schedule-types.js";

/** A schedule as it stands. As a text it is the name of its task. */
export type Schedule = StoredAs;

/** Django Q2's types and their codes: `Schedule.DAILY`. */
// oxlint-disable-next-line typescript/no-redeclare -- as in Django Q2, one name for the record and for its constants
export const Schedule: typeof typeCodes = Object.freeze({ ...typeCodes });

/** A declared schedule, before anything was checked. */
export interface DeclaredParts {
  readonly target: unknown;
  readonly rule: unknown;
}

const key = Symbol.for("qluster.scheduled.1");

/**
 * One schedule as a value, for `q.schedules.sync`.
 *
 * @example
 * await q.schedules.sync([scheduled("core.tasks.report", { name: "report", type: "DAILY", at: "03:00" })]);
 */
export const scheduled: DefineScheduled = ((target: unknown, rule: unknown) =>
  Object.freeze({ [key]: { target, rule } })) as unknown as DefineScheduled;

/** @throws {OptionError} when `value` was not made by {@link scheduled}. */
export function declaredParts(value: Declared | undefined, index: number): DeclaredParts {
  const given: unknown = value;
  const parts =
    typeof given === "object" && given !== null ? (given as { readonly [key]?: DeclaredParts })[key] : undefined;
  if (parts !== undefined) return parts;
  throw new OptionError(`sync got ${quote(given)} at place ${index}; expected scheduled(task, { name, … }).`);
}
