import { qlusterOf } from "../../client/create-qluster.js";
import type { Qluster } from "../../client/types.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { openProject } from "../project.js";
import { localText, scheduleDocument } from "../render-schedules.js";
import { toJson } from "../show-value.js";

export async function runScheduleNow(context: CommandContext): Promise<ExitCode> {
  return await onSchedule(context, async (q, name) => {
    const id = await q.schedules.runNow(name);
    return { document: { id }, text: id };
  });
}

export async function runSchedulePause(context: CommandContext): Promise<ExitCode> {
  return await onSchedule(context, async (q, name) => {
    const schedule = await q.schedules.pause(name);
    return { document: { schedule: scheduleDocument(schedule) }, text: `Paused ${name}.` };
  });
}

export async function runScheduleResume(context: CommandContext): Promise<ExitCode> {
  return await onSchedule(context, async (q, name) => {
    const schedule = await q.schedules.resume(name);
    const { nextRun, timeZone } = schedule;
    const next =
      nextRun === undefined ? "It has no slot any more." : `Next: ${localText(nextRun, timeZone)} (${timeZone}).`;
    return { document: { schedule: scheduleDocument(schedule) }, text: `Resumed ${name}. ${next}` };
  });
}

/** Exits with 1 when there is no such schedule. */
export async function runScheduleRemove(context: CommandContext): Promise<ExitCode> {
  return await onSchedule(context, async (q, name) => {
    const removed = await q.schedules.remove(name);
    const text = removed ? `Removed ${name}. Its tasks stay.` : `There is no schedule "${name}".`;
    return { document: { removed }, text, code: removed ? exitCodes.ok : exitCodes.failed };
  });
}

interface Answer {
  readonly document: object;
  readonly text: string;
  readonly code?: ExitCode;
}

async function onSchedule(
  { flags, terminal }: CommandContext,
  work: (q: Qluster, name: string) => Promise<Answer>,
): Promise<ExitCode> {
  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  const { document, text, code = exitCodes.ok } = await work(q, flags.required("schedule"));
  terminal.print(flags.on("json") ? toJson({ format: 1, ...document }) : text);
  return code;
}
