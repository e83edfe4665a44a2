import type { ScheduleChanges } from "../client/schedule-types.js";
import { nearest } from "../core/names.js";
import type { RuleInput } from "../core/schedule/check-rule.js";
import { scheduleTypes, typeCodes, type CatchUp, type Overlap } from "../core/schedule/rule.js";
import type { Duration } from "../core/task-types.js";
import type { Flags } from "./flags.js";
import { readArguments } from "./read-arguments.js";
import { UsageError } from "./usage-error.js";

type RuleOptions = Omit<RuleInput, "type"> & {
  readonly type?: NonNullable<ScheduleChanges["type"]>;
  readonly timeZone?: string;
};

/** What the flags of `schedule add` and `schedule edit` say; what was not given is left out. */
export function scheduleOptions(flags: Flags): ScheduleChanges {
  const { text } = flags;
  const priority = text("priority");
  const args = text("args");
  return given({
    ...ruleOptions(flags),
    name: text("name"),
    repeats: flags.count("repeats", -1),
    jitter: text("jitter") as Duration | undefined,
    catchUp: flags.oneOf<CatchUp>("catch-up", ["latest", "all", "none"]),
    overlap: flags.oneOf<Overlap>("overlap", ["allow", "skip", "queue"]),
    cluster: text("cluster"),
    queue: text("queue"),
    group: text("group"),
    hook: text("hook"),
    timeout: text("timeout") as Duration | undefined,
    attempts: flags.count("attempts", 0),
    priority: priority === undefined ? undefined : Number(priority),
    args: args === undefined ? undefined : readArguments(args),
  });
}

/** Flags whose options can be cleared. */
const clearable = {
  until: "until",
  jitter: "jitter",
  "catch-up": "catchUp",
  overlap: "overlap",
  name: "name",
  tz: "timeZone",
  repeats: "repeats",
  cluster: "cluster",
  queue: "queue",
  group: "group",
  hook: "hook",
  attempts: "attempts",
  priority: "priority",
  args: "args",
} as const satisfies Readonly<Record<string, keyof ScheduleChanges>>;

/** The options that `--clear until,jitter` takes away. @throws {UsageError} for one that cannot be, or is given as well. */
export function clearedOptions(flags: Flags): ScheduleChanges {
  const names = (flags.text("clear") ?? "").split(",").map((name) => name.trim().replace(/^--/, ""));
  return Object.fromEntries(names.filter((name) => name !== "").map((name) => [clearedOption(flags, name), null]));
}

function clearedOption(flags: Flags, name: string): keyof ScheduleChanges {
  const option = (clearable as Readonly<Record<string, keyof ScheduleChanges | undefined>>)[name];
  if (option === undefined) {
    const names = Object.keys(clearable);
    const near = nearest(name, names);
    const hint = near === undefined ? `It takes ${names.join(", ")}, joined by commas.` : `Did you mean ${near}?`;
    throw new UsageError(`--clear cannot clear "${name}". ${hint}`);
  }
  if (flags.text(name) === undefined) return option;
  throw new UsageError(`"${name}" is set and cleared at once. Leave it out of --clear, or do not give its value.`);
}

/** What the flags say of the rule alone. Durations and names are checked with the rule. */
export function ruleOptions(flags: Flags): RuleOptions {
  const { text } = flags;
  const cron = text("cron");
  const type = flags.oneOf("type", [...scheduleTypes, ...Object.values(typeCodes)]);
  return given({
    type: type ?? (cron === undefined ? undefined : ("CRON" as const)),
    cron,
    every: text("every") as Duration | undefined,
    minutes: flags.count("minutes", 1),
    at: text("at"),
    timeZone: text("tz"),
    nextRun: instant("--next-run", text("next-run")),
    until: instant("--until", text("until")),
  });
}

function instant(flag: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const date = new Date(text);
  // Without a zone it would mean another time on each machine.
  const isWhole = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$/.test(text);
  if (isWhole && !Number.isNaN(date.getTime())) return date;
  throw new UsageError(`${flag} is "${text}", but must be a time with its offset. Write ${flag}=2026-01-31T03:00Z.`);
}

function given<T extends object>(options: T): Given<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<T>;
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
