import { qlusterOf } from "../../client/create-qluster.js";
import type { Schedule, ScheduleRule } from "../../client/schedule-types.js";
import { ref } from "../../client/task.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { checkTasksKnown } from "../known-task.js";
import { openProject } from "../project.js";
import { localText, scheduleDocument } from "../render-schedules.js";
import { clearedOptions, scheduleOptions } from "../schedule-options.js";
import { toJson } from "../show-value.js";
import { UsageError } from "../usage-error.js";

/** Makes a schedule, and says in words when it is due. */
export async function runScheduleAdd(context: CommandContext): Promise<ExitCode> {
  const { flags } = context;
  const task = flags.required("task");
  if (/^\[|->|→|^(?:chain|iter|batch)Of\b/.test(task)) throw notTyped(task);
  // Which fields fit together is the rule's own check.
  const rule = { ...scheduleOptions(flags), upsert: flags.on("upsert") } as ScheduleRule & {
    args?: readonly unknown[];
  };
  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  await checkTasksKnown(typeof rule.hook === "string" ? [task, rule.hook] : [task], q);
  tell(await q.schedule(ref(task), rule), context);
  return exitCodes.ok;
}

/** Links refer to results before them, which no line of arguments can say. */
function notTyped(task: string): UsageError {
  return new UsageError(
    `"${task}" is no name of one task. A chain, an iterable or a batch cannot be typed here: declare it in code, with ` +
      "schedule(chainOf([link(…), link(…)]), { … }) or q.schedules.sync([scheduled(…)]).",
  );
}

/** Changes what the flags name, and leaves the rest. */
export async function runScheduleEdit(context: CommandContext): Promise<ExitCode> {
  const { flags } = context;
  const changes = { ...scheduleOptions(flags), ...clearedOptions(flags) };
  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  if (typeof changes.hook === "string") await checkTasksKnown([changes.hook], q);
  tell(await q.schedules.update(flags.required("schedule"), changes), context);
  return exitCodes.ok;
}

function tell(schedule: Schedule, { flags, terminal }: CommandContext): void {
  if (flags.on("json")) return terminal.print(toJson({ format: 1, schedule: scheduleDocument(schedule) }));
  terminal.print(schedule.name ?? schedule.id);
  const { description, nextRun, timeZone } = schedule;
  const next =
    nextRun === undefined ? "It has no slot any more." : `Next: ${localText(nextRun, timeZone)} (${timeZone}).`;
  terminal.note(`${description} ${next}`);
}
