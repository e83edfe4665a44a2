import type { TaskOptions } from "../core/task-types.js";
import { refuse } from "./option-checks.js";

/** Options over others. One that is `undefined` counts as not given; what contradicts an option below replaces it. */
export function mergeOptions(below: TaskOptions, above: TaskOptions): TaskOptions {
  if (typeof above !== "object" || above === null) throw refuse("of a task", above, "an object of options");
  const result: TaskOptions = { ...below };
  for (const key of Object.keys(above) as (keyof TaskOptions)[]) {
    const value = above[key];
    if (value !== undefined) (result as Record<string, unknown>)[key] = value;
  }
  if (above.attempts !== undefined && above.ackFailure === undefined) delete result.ackFailure;
  if (above.ackFailure !== undefined && above.attempts === undefined) delete result.attempts;
  return result;
}
