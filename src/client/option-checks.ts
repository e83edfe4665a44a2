import { nearest } from "../core/names.js";
import { quote } from "../core/quote.js";
import type { TaskOptions } from "../core/task-types.js";
import { OptionError } from "../errors.js";

// A record, so that the compiler notices an option that is missing here.
const known: Readonly<Record<keyof TaskOptions, true>> = {
  group: true,
  hook: true,
  hookOn: true,
  queue: true,
  taskName: true,
  cached: true,
  delay: true,
  runAt: true,
  expires: true,
  timeout: true,
  attempts: true,
  backoff: true,
  ackFailure: true,
  priority: true,
  unique: true,
  save: true,
  sync: true,
  batch: true,
};
const names: readonly string[] = Object.keys(known);

/** Every option of a task. */
export const taskOptionNames: readonly string[] = names;

/** What Django Q2 calls otherwise, or not at all here. */
const elsewhere: Readonly<Record<string, string>> = {
  cluster: "In Qluster this is queue.",
  maxAttempts: "In Qluster this is attempts.",
  ackFailures: "In Qluster this is ackFailure, or attempts: 1.",
  retry: "In Qluster this is backoff: how long a failed attempt waits.",
  name: "In Qluster this is taskName.",
  qOptions: "Give its members as options themselves.",
  broker: "One connection serves all calls; leave it out.",
  input: "It belongs to task(), beside its options.",
};

/** @throws {OptionError} for a key that is no option, with the nearest one. */
export function checkKeys(options: object): void {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(known, key)) continue;
    const near = nearest(key, names);
    const advice = elsewhere[key] ?? (near === undefined ? `Known are: ${names.join(", ")}.` : `Did you mean ${near}?`);
    throw new OptionError(`There is no option "${key}" of a task. ${advice}`);
  }
}

/** The same for other things than tasks. @param what - `a chain`. */
export function checkKnown(options: object, allowed: readonly string[], what: string): void {
  for (const key of Object.keys(options)) {
    if (allowed.includes(key)) continue;
    const near = nearest(key, allowed);
    const advice = near === undefined ? `Known are: ${allowed.join(", ")}.` : `Did you mean ${near}?`;
    throw new OptionError(`There is no option "${key}" of ${what}. ${advice}`);
  }
}

export function refuse(option: string, value: unknown, expected: string): OptionError {
  return new OptionError(`The option ${option} is ${quote(value)}; expected ${expected}.`);
}

export function trueOrFalse(value: unknown, option: string): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw refuse(option, value, "true or false");
}

export function boundedInteger(value: unknown, option: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  throw refuse(option, value, `a whole number ${range}`);
}

export function boundedNumber(value: unknown, option: string, least: number, most: number): number {
  if (typeof value === "number" && value >= least && value <= most && value !== Infinity) return value;
  throw refuse(option, value, most === Infinity ? `a number of ${least} or more` : `a number from ${least} to ${most}`);
}

export function filledText(value: unknown, option: string): string {
  // Databases end a text there, or refuse it.
  if (typeof value === "string" && value.includes("\0")) throw refuse(option, value, "a text without NUL characters");
  if (typeof value === "string" && value.trim() !== "") return value;
  throw refuse(option, value, "a text that is not empty");
}
