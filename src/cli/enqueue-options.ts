import type { TaskOptions } from "../core/task-types.js";
import { parseDuration } from "../core/duration.js";
import type { Flags } from "./flags.js";
import { UsageError } from "./usage-error.js";

/** What the flags of `enqueue` say of the task. */
export function enqueueOptions(flags: Flags): TaskOptions {
  const { text } = flags;
  return {
    queue: text("queue"),
    group: text("group"),
    hook: text("hook"),
    delay: duration("--delay", text("delay")),
    priority: priority(text("priority")),
    sync: flags.on("sync") ? true : undefined,
  };
}

/** How long `--wait` waits, in milliseconds; `undefined` without it, `Infinity` when it stands alone. */
export function waitOf(flags: Flags): number | undefined {
  const text = flags.text("wait");
  return text === "" ? Infinity : duration("--wait", text);
}

function duration(flag: string, text: string | undefined): number | undefined {
  // The check is parseDuration's own; the type cannot say so for a text from outside.
  return text === undefined ? undefined : parseDuration(text as `${number}s`, flag);
}

function priority(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^[+-]?\d+$/.test(text) && Math.abs(value) <= 100) return value;
  throw new UsageError(`--priority is "${text}", but must be a whole number from -100 to 100. Write --priority=5.`);
}
