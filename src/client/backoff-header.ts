import { parseDuration } from "../core/duration.js";
import type { HeaderBackoff } from "../core/task-header.js";
import { nearest } from "../core/names.js";
import type { Backoff } from "../core/task-types.js";
import { OptionError } from "../errors.js";
import { boundedNumber, refuse } from "./option-checks.js";

const names = ["base", "factor", "max", "jitter"];

/** The parts of a backoff that were given, checked, in milliseconds. */
export function backoffHeader(backoff: Backoff): HeaderBackoff {
  if (typeof backoff !== "object" || backoff === null)
    throw refuse("backoff", backoff, '{ base: "1s", factor: 2, max: "10m", jitter: 0.5 }');
  for (const key of Object.keys(backoff)) checkKey(key);
  const { base, factor, max, jitter } = backoff;
  return {
    ...(base === undefined ? {} : { base: parseDuration(base, "backoff.base") }),
    ...(factor === undefined ? {} : { factor: boundedNumber(factor, "backoff.factor", 1, Infinity) }),
    ...(max === undefined ? {} : { max: parseDuration(max, "backoff.max") }),
    ...(jitter === undefined ? {} : { jitter: boundedNumber(jitter, "backoff.jitter", 0, 1) }),
  };
}

function checkKey(key: string): void {
  if (names.includes(key)) return;
  const near = nearest(key, names);
  throw new OptionError(
    `There is no option "backoff.${key}". ${near === undefined ? `Known are: ${names.join(", ")}.` : `Did you mean ${near}?`}`,
  );
}
