import { qlusterOf } from "../../client/create-qluster.js";
import type { Schedule, ScheduleRun } from "../../client/schedule-types.js";
import type { Qluster } from "../../client/types.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { openProject } from "../project.js";
import { renderSchedules, scheduleDocument } from "../render-schedules.js";
import { toJson } from "../show-value.js";

/** Schedules are read in pages of so many. */
const page = 200;

/** Every schedule, in the order in which they were made. */
export async function runScheduleList({ flags, terminal }: CommandContext): Promise<ExitCode> {
  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  const schedules = [];
  for await (const schedule of every(q)) schedules.push({ schedule, last: await lastRun(q, schedule) });
  if (flags.on("json")) {
    const documents = schedules.map(({ schedule, last }) => ({ ...scheduleDocument(schedule), lastRun: last ?? null }));
    terminal.print(toJson({ format: 1, schedules: documents }));
  } else if (schedules.length === 0)
    terminal.print("There are no schedules. Make one: npx qluster schedule add --help");
  else for (const line of renderSchedules(schedules, terminal.style)) terminal.print(line);
  return exitCodes.ok;
}

async function* every(q: Qluster): AsyncGenerator<Schedule> {
  let after: string | undefined;
  for (;;) {
    const schedules = await q.schedules.list({ after, limit: page });
    yield* schedules;
    if (schedules.length < page) return;
    after = schedules.at(-1)?.id;
  }
}

async function lastRun(q: Qluster, { id }: Schedule): Promise<ScheduleRun | undefined> {
  return (await q.schedules.runs(id, { limit: 1 }))[0];
}
