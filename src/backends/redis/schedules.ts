import type {
  ChangeAnswer,
  DueSchedules,
  NewSchedule,
  RunQuery,
  ScheduleChange,
  Schedules,
  StoredRun,
  StoredSchedule,
} from "../../contracts/schedules.js";
import type { TaskState } from "../../contracts/store.js";
import { packMessage } from "./packing.js";
import type { RedisProject, Values } from "./project.js";
import { packDefinition, packProgress, packRun, readRun, readSchedule } from "./schedule-text.js";
import { unfinishedTask } from "./stored-task.js";
import type { WakeUp } from "./wake-up.js";

/** Changes in one call of the script. */
const atOnce = 64;

const words: Readonly<Record<string, ChangeAnswer>> = { d: "done", s: "stale", t: "taken" };

/** Schedules in one hash, with sorted sets that say which are due. */
export function redisSchedules(project: RedisProject, wakeUp: WakeUp): Schedules {
  const ask = async <T>(...values: Values): Promise<T> => await project.run<T>("schedules", values);
  return {
    insert: (schedule) => insert(project, schedule),
    change: (changes) => changeAll(project, changes),
    find: async (idOrName) => readSchedules(await ask("find", idOrName))[0],
    list: async ({ limit, after = "", declaredBy }) =>
      readSchedules(await ask("list", limit, after, declaredBy === undefined ? "" : `=${declaredBy}`)),
    async due({ clusters, limit }): Promise<DueSchedules> {
      const names = new Set(clusters.map((cluster) => cluster ?? ""));
      const [now, nextInMs, ...texts] = await ask<[number, number, ...string[]]>("due", limit, ...names);
      return { now, nextInMs: nextInMs < 0 ? null : nextInMs, schedules: readSchedules(texts) };
    },
    runs: (id, query) => runsOf(project, id, query),
    async counts(cap) {
      const [all, paused, broken, next] = await ask<[number, number, number, string]>("counts");
      const [first, second, third] = [all, paused, broken].map((count) => Math.min(count, cap + 1));
      return { all: first ?? 0, paused: second ?? 0, broken: third ?? 0, nextRun: next === "" ? null : Number(next) };
    },
    watch: (changed) => wakeUp.watch("plan", changed),
  };
}

async function insert(
  project: RedisProject,
  schedule: NewSchedule,
): Promise<{ readonly id: string; readonly created: boolean }> {
  const values = ["insert", schedule.id, packDefinition(schedule), packProgress(schedule)];
  const [id, created] = await project.runSafely<[string, number]>("schedules", () => values);
  return { id, created: created === 1 };
}

async function changeAll(project: RedisProject, changes: readonly ScheduleChange[]): Promise<ChangeAnswer[]> {
  const answers: ChangeAnswer[] = [];
  for (let from = 0; from < changes.length; from += atOnce) {
    const values = changes.slice(from, from + atOnce).flatMap(packChange);
    const letters = await project.runSafely<string[]>("schedules", (again) => ["change", again ? 1 : 0, ...values]);
    for (const letter of letters) answers.push(words[letter] ?? "stale");
  }
  return answers;
}

function packChange({ id, revision, definition, progress, runs, tasks }: ScheduleChange): Values {
  return [
    id,
    revision,
    definition === undefined ? "" : packDefinition(definition),
    progress === null ? "" : packProgress(progress),
    runs.length,
    tasks.length,
    ...runs.flatMap((run) => [run.number, packRun(run)]),
    ...tasks.flatMap(packMessage),
  ];
}

function readSchedules(texts: readonly string[]): StoredSchedule[] {
  const schedules: StoredSchedule[] = [];
  for (let at = 0; at < texts.length; at += 2) schedules.push(readSchedule(texts[at] ?? "", texts[at + 1] ?? ""));
  return schedules;
}

async function runsOf(project: RedisProject, id: string, { limit, before }: RunQuery): Promise<StoredRun[]> {
  const newest = before === undefined ? "+inf" : `(${before}`;
  const [now, ...texts] = await project.run<[number, ...string[]]>("runs", [id, limit, newest]);
  const runs: StoredRun[] = [];
  for (let at = 0; at < texts.length; at += 4) {
    const [text = "", place = "", what = "", changes = ""] = texts.slice(at, at + 4);
    runs.push(readRun(text, stateOf(place, what, changes, now)));
  }
  return runs;
}

function stateOf(place: string, what: string, changes: string, now: number): TaskState | undefined {
  if (place === "") return undefined;
  if (place === "o") return "running";
  return place === "s" ? (what as TaskState) : unfinishedTask(what, changes, place === "h", now).state;
}
