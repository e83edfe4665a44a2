import type { AttemptRecord, StoredTask, TaskNote, TaskNotes, TaskProgress } from "../../contracts/store.js";
import { flowAsTask } from "../../core/flow-as-task.js";
import { readFlow } from "./flow-hash.js";
import { endingOf, finishedTask, unfinishedTask } from "./stored-task.js";
import type { RedisProject } from "./project.js";

/** Tasks read in one call of the script. */
const atOnce = 256;

type ReadReply = readonly [now: number, ...tasks: (string | readonly string[])[]];

/** Tasks in any state, or only the finished ones among them. */
export async function readTasks(
  project: RedisProject,
  ids: readonly string[],
  which: "all" | "finished",
): Promise<StoredTask[]> {
  const wanted = [...new Set(ids)];
  const tasks: StoredTask[] = [];
  for (let from = 0; from < wanted.length; from += atOnce) {
    const some = wanted.slice(from, from + atOnce);
    const [now, ...parts] = await project.run<ReadReply>("read", [which === "finished" ? 1 : 0, ...some]);
    for (let at = 0; at < parts.length; at += 3) {
      const [place, text = "", more = ""] = parts.slice(at, at + 3);
      const flow = place === "o" ? readFlow(String(text), more as readonly string[]) : undefined;
      if (flow !== undefined) tasks.push(flowAsTask(flow));
      else if (place === "f") tasks.push(finishedTask(String(text)));
      else tasks.push(unfinishedTask(String(text), String(more), place === "h", now));
    }
  }
  return tasks;
}

/** Every attempt: the earlier ones have a list, the last one stands in the finished task's value. */
export async function readAttempts(project: RedisProject, id: string): Promise<AttemptRecord[]> {
  const [earlier, value] = await project.run<[string[], string]>("details", ["attempts", id]);
  const attempts = earlier.map((text) => JSON.parse(text) as AttemptRecord);
  const last = value === "" ? null : endingOf(value).attempt;
  return last === null ? attempts : [...attempts, last];
}

export async function readNotes(project: RedisProject, id: string): Promise<TaskNotes> {
  const [progress, lines] = await project.run<[string, string[]]>("details", ["notes", id]);
  const log = lines.map((line) => JSON.parse(line) as TaskNotes["log"][number]);
  return {
    progress: progress === "" ? undefined : (JSON.parse(progress.slice(progress.indexOf(" ") + 1)) as TaskProgress),
    // Reports can overtake each other between a worker and the store.
    log: log.sort((a, b) => a.at - b.at),
  };
}

export async function saveNotes(project: RedisProject, notes: readonly TaskNote[]): Promise<void> {
  if (notes.length === 0) return;
  const values = notes.flatMap(({ id, at, progress, log }) => {
    const when = Math.floor(at);
    return [
      id,
      when,
      progress === undefined ? "" : JSON.stringify(progress),
      log === undefined ? "" : JSON.stringify({ at: when, text: log }),
    ];
  });
  await project.run("details", ["report", ...values]);
}
