import { qlusterOf } from "../../client/create-qluster.js";
import { ref } from "../../client/task.js";
import type { Qluster } from "../../client/types.js";
import type { FinishedTask } from "../../core/task-types.js";
import { formatDuration } from "../../core/duration.js";
import type { CommandContext } from "../command.js";
import { counted } from "../counted.js";
import { enqueueOptions, waitOf } from "../enqueue-options.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { checkTasksKnown } from "../known-task.js";
import { openProject } from "../project.js";
import { readArguments } from "../read-arguments.js";
import { showValue, toJson } from "../show-value.js";
import { waitForResult } from "../wait-for-result.js";

/** Prints the id. With `--wait` or `--sync` also the result; then exits with 1 when the task failed or is not ready. */
export async function runEnqueue(context: CommandContext): Promise<ExitCode> {
  const { flags, terminal } = context;
  const task = flags.required("task");
  const args = readArguments(flags.text("args"));
  const options = enqueueOptions(flags);
  const waitMs = flags.on("sync") ? 0 : waitOf(flags);

  const { config } = await openProject(flags);
  await using q = qlusterOf(config);
  const names = typeof options.hook === "string" ? [task, options.hook] : [task];
  const { clusters, fault } = await checkTasksKnown(names, q);
  if (fault !== undefined) terminal.note(`The options that task() gives do not count here: ${messageOf(fault)}`);
  const id = await q.asyncTask(ref(task, options), ...args);
  if (waitMs === undefined && flags.on("json")) terminal.print(toJson({ format: 1, id }));
  else if (!flags.on("json")) terminal.print(id);
  if (clusters === 0 && !flags.on("sync")) terminal.note("No cluster is running. To start one: npx qluster cluster");
  return waitMs === undefined ? exitCodes.ok : await report(q, id, waitMs, context);
}

async function report(q: Qluster, id: string, waitMs: number, context: CommandContext): Promise<ExitCode> {
  const finished = await waitForResult(q, id, waitMs, context.terminal);
  if (context.flags.on("json")) context.terminal.print(toJson(await documentOf(q, id, finished)));
  else printOutcome(id, finished, waitMs, context);
  return finished?.success === true ? exitCodes.ok : exitCodes.failed;
}

async function documentOf(q: Qluster, id: string, finished: FinishedTask | undefined): Promise<object> {
  if (finished === undefined) return { format: 1, id, state: (await q.status(id))?.state };
  const { name, func, attempts, queuedAt, startedAt, stoppedAt, success, result, error } = finished;
  return { format: 1, id, success, result, error, name, func, attempts, queuedAt, startedAt, stoppedAt };
}

function printOutcome(
  id: string,
  finished: FinishedTask | undefined,
  waitMs: number,
  { terminal }: CommandContext,
): void {
  if (finished === undefined)
    terminal.note(`Not finished after ${formatDuration(waitMs)}. It goes on; its id is ${id}.`);
  else if (finished.success) terminal.print(showValue(finished.result, terminal.coloured));
  else
    terminal.note(
      `Failed after ${counted(finished.attempts, "attempt")}: ${finished.error.name}: ${finished.error.message}`,
    );
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
