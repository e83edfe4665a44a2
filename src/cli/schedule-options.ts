import type { ScheduleChanges } from "../client/schedule-types.js";
import { scheduleTypes, typeCodes } from "../core/schedule/rule.js";
import type { Duration } from "../core/task-types.js";
import type { Flags } from "./flags.js";
import { readArguments } from "./read-arguments.js";
import { UsageError } from "./usage-error.js";

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
    catchUp: flags.oneOf("catch-up", ["latest", "all", "none"]),
    overlap: flags.oneOf("overlap", ["allow", "skip", "queue"]),
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

/** What the flags say of the rule alone. Durations and names are checked with the rule. */
export function ruleOptions(flags: Flags): ScheduleChanges {
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

function given(options: ScheduleChanges): ScheduleChanges {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
