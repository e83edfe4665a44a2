import type { RuleInput } from "../core/schedule/check-rule.js";
import { checkLength, nearest } from "../core/names.js";
import { quote } from "../core/quote.js";
import type { TaskOptions } from "../core/task-types.js";
import { OptionError, ScheduleError } from "../errors.js";
import { filledText, taskOptionNames } from "./option-checks.js";

/** What was written for a schedule, sorted: its rule, the options of its tasks, and the rest. */
export interface ScheduleOptions {
  readonly rule: RuleInput;
  readonly task: TaskOptions;
  readonly timeZone: string | undefined;
  readonly name: string | undefined;
  readonly repeats: number | undefined;
  readonly cluster: string | undefined;
  readonly args: readonly unknown[] | undefined;
  readonly kwargs: Readonly<Record<string, unknown>> | undefined;
  readonly intended: string | undefined;
  readonly upsert: boolean;
}

const ruleKeys = [
  "type",
  "minutes",
  "every",
  "cron",
  "at",
  "nextRun",
  "until",
  "jitter",
  "catchUp",
  "catchUpLimit",
  "overlap",
];
const otherKeys = ["timeZone", "name", "repeats", "cluster", "args", "kwargs", "intendedDateKwarg", "upsert"];
const known = new Set([...ruleKeys, ...otherKeys]);

/** What Django Q2 calls otherwise, or what does not fit a schedule. */
const elsewhere: Readonly<Record<string, string>> = {
  qOptions: "Give its members as options themselves.",
  scheduleType: "In Qluster this is type.",
  broker: "One connection serves all calls; leave it out.",
  runAt: "A schedule has nextRun for its first slot.",
  sync: "The tasks of a schedule run in a cluster; leave it out.",
  batch: "A schedule opens a batch of its own: schedule(batchOf([link(…), …]), …).",
  cached: "Results of scheduled tasks are kept in the database; leave it out.",
  tz: "In Qluster this is timeZone.",
  timezone: "In Qluster this is timeZone.",
};

/**
 * Sorts and checks what was written for a schedule, but for the rule itself.
 *
 * @throws {OptionError} {@link ScheduleError} that name the option and quote its value.
 */
export function readScheduleOptions(given: unknown): ScheduleOptions {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new OptionError(
      `The rule of a schedule is ${quote(given)}; expected an object, such as { type: "DAILY", at: "03:00" }.`,
    );
  }
  const options = given as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(options)) checkKey(key);
  return {
    rule: pick(options, (key) => ruleKeys.includes(key)),
    task: pick(options, (key) => !known.has(key)),
    timeZone: options["timeZone"] as string | undefined,
    name: label(options["name"], "name"),
    repeats: repeatsOf(options["repeats"]),
    cluster: label(options["cluster"], "cluster"),
    args: argsOf(options["args"]),
    kwargs: kwargsOf(options["kwargs"]),
    intended: identifier(options["intendedDateKwarg"]),
    upsert: options["upsert"] === true,
  };
}

/** The arguments of each task: those given, then the object that takes the place of keyword arguments. */
export function fullArguments(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> | undefined,
  intended: string | undefined,
): readonly unknown[] {
  if (kwargs !== undefined) return [...args, kwargs];
  return intended === undefined || isPlainObject(args.at(-1)) ? args : [...args, {}];
}

/** With another object in the place of keyword arguments, or none. @param replaces - The last of `args` is one so far, if it is an object. */
export function withKwargs(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> | undefined,
  replaces: boolean,
): readonly unknown[] {
  const own = replaces && isPlainObject(args.at(-1)) ? args.slice(0, -1) : args;
  return kwargs === undefined ? own : [...own, kwargs];
}

/** Without the object that was only there to have the slot in it. */
export function withoutSlot(args: readonly unknown[]): readonly unknown[] {
  const last = args.at(-1);
  return isPlainObject(last) && Object.keys(last).length === 0 ? args.slice(0, -1) : args;
}

/** @throws {ScheduleError} for arguments beside those of links and elements. */
export function argumentsBelong({ args, kwargs }: Pick<ScheduleOptions, "args" | "kwargs">): void {
  if (args === undefined && kwargs === undefined) return;
  const field = args === undefined ? "kwargs" : "args";
  throw new ScheduleError(
    field,
    `The field ${field} does not belong to a chain, an iterable or a batch: each link and element has arguments of its own.`,
  );
}

/** The arguments as the task will get them, for its schema. */
export function asReceived(args: readonly unknown[], intended: string | undefined, now: number): readonly unknown[] {
  if (intended === undefined) return args;
  return [...args.slice(0, -1), { ...(args.at(-1) as object), [intended]: new Date(now).toISOString() }];
}

function checkKey(key: string): void {
  if (Object.hasOwn(elsewhere, key))
    throw new OptionError(`There is no option "${key}" of a schedule. ${elsewhere[key] ?? ""}`);
  const all = [...known, ...taskOptionNames];
  if (all.includes(key)) return;
  const near = nearest(key, all);
  const advice = near === undefined ? `Known are: ${all.join(", ")}.` : `Did you mean ${near}?`;
  throw new OptionError(`There is no option "${key}" of a schedule. ${advice}`);
}

function pick(options: Readonly<Record<string, unknown>>, wanted: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key, value]) => value !== undefined && wanted(key)));
}

function label(value: unknown, option: string): string | undefined {
  if (value === undefined) return undefined;
  const text = filledText(value, option);
  checkLength(option, text, 100);
  return text;
}

/** Below -1 counts as -1, as in Django Q2. */
function repeatsOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value)) return Math.max(-1, value as number);
  throw new ScheduleError("repeats", `The field repeats is ${quote(value)}; expected a whole number, -1 for no limit.`);
}

function argsOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  throw new ScheduleError(
    "args",
    `The field args is ${quote(value)}; expected an array with one place for each argument.`,
  );
}

function kwargsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || isPlainObject(value)) return value;
  throw new ScheduleError(
    "kwargs",
    `The field kwargs is ${quote(value)}; expected an object. It becomes the last argument.`,
  );
}

function identifier(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const isName = typeof value === "string" && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(value);
  if (isName && value !== "__proto__") return value;
  throw new ScheduleError(
    "intendedDateKwarg",
    `The field intendedDateKwarg is ${quote(value)}; expected a name such as "date": letters, digits and _, no digit first.`,
  );
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
