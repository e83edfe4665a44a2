import type { Clock } from "../../contracts/clock.js";
import type {
  ChangeAnswer,
  DueQuery,
  DueSchedules,
  NewRun,
  NewSchedule,
  RunQuery,
  ScheduleChange,
  ScheduleCounts,
  Schedules,
  ScheduleQuery,
  StoredRun,
  StoredSchedule,
} from "../../contracts/schedules.js";
import type { TaskKind, TaskState } from "../../contracts/store.js";
import { keptRuns, runsAfterSubmit, storedRun } from "../sql/schedule-row.js";
import type { ProjectState } from "./state.js";
import { submitTask } from "./submit.js";
import { stateOf } from "./task-states.js";

export function memorySchedules(state: ProjectState, clock: Clock): Schedules {
  return {
    insert: async (schedule) => insert(state, schedule, clock.now()),
    change: async (changes) => changes.map((change) => applyChange(state, change, clock.now())),
    find: async (idOrName) => state.schedules.get(idOrName) ?? byName(state, idOrName),
    list: async (query) => list(state, query),
    due: async (query) => due(state, query, clock.now()),
    runs: async (id, query) => runsOf(state, id, query, clock.now()),
    counts: async (cap) => counts(state, cap),
    watch: (changed) => state.bell.listen(changed),
  };
}

/** Keeps the outcome of a scheduled task whose own record goes. */
export function keepOutcome(
  { outcomes }: ProjectState,
  task: { readonly id: string; readonly kind: TaskKind; readonly parent: string | null },
  outcome: TaskState,
): void {
  if (task.kind !== "hook" && task.parent !== null) outcomes.set(task.id, outcome);
}

function insert(state: ProjectState, schedule: NewSchedule, now: number): { id: string; created: boolean } {
  const { id, name } = schedule;
  if (state.schedules.has(id)) return { id, created: true };
  const holder = name === null ? undefined : byName(state, name);
  if (holder !== undefined) return { id: holder.id, created: false };
  state.schedules.set(id, { ...schedule, revision: 1, runCount: 0, createdAt: now });
  state.bell.ring();
  return { id, created: true };
}

function applyChange(state: ProjectState, change: ScheduleChange, now: number): ChangeAnswer {
  const { id, revision, definition, progress, tasks } = change;
  const schedule = state.schedules.get(id);
  if (schedule?.revision !== revision) return "stale";
  const holder = definition?.name == null ? undefined : byName(state, definition.name);
  if (holder !== undefined && holder.id !== id) return "taken";
  const submitted = tasks.map((task) => submitTask(state, task, now));
  if (progress === null) {
    state.schedules.delete(id);
    state.runs.delete(id);
  } else {
    const runs = runsAfterSubmit(change.runs, tasks, submitted);
    const counted = { revision: revision + 1, runCount: schedule.runCount + runs.length };
    state.schedules.set(id, { ...schedule, ...definition, ...progress, ...counted });
    addRuns(state, id, runs);
  }
  state.bell.ring();
  return "done";
}

function addRuns(state: ProjectState, id: string, added: readonly NewRun[]): void {
  const runs = [...(state.runs.get(id) ?? []), ...added];
  for (const { task } of runs.splice(0, Math.max(0, runs.length - keptRuns))) {
    if (task !== null) state.outcomes.delete(task);
  }
  state.runs.set(id, runs);
}

function byName(state: ProjectState, name: string): StoredSchedule | undefined {
  return [...state.schedules.values()].find((schedule) => schedule.name === name);
}

function list(state: ProjectState, { after = "", limit, declaredBy }: ScheduleQuery): StoredSchedule[] {
  return [...state.schedules.values()]
    .filter((schedule) => schedule.id > after && (declaredBy === undefined || schedule.declaredBy === declaredBy))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

function due(state: ProjectState, { clusters, limit }: DueQuery, now: number): DueSchedules {
  const waiting = [...state.schedules.values()]
    .filter(({ dueAt, cluster }) => dueAt !== null && clusters.includes(cluster))
    .sort((a, b) => dueTime(a) - dueTime(b));
  const schedules = waiting.filter((schedule) => dueTime(schedule) <= now).slice(0, limit);
  const next = waiting[schedules.length];
  return { now, schedules, nextInMs: next === undefined ? null : Math.max(0, dueTime(next) - now) };
}

function dueTime({ dueAt }: StoredSchedule): number {
  return dueAt ?? Infinity;
}

function runsOf(state: ProjectState, id: string, { limit, before = Infinity }: RunQuery, now: number): StoredRun[] {
  const runs = (state.runs.get(id) ?? []).filter(({ number }) => number < before);
  return runs
    .toReversed()
    .slice(0, limit)
    .map(({ passedOver, ...run }) => {
      const kept = run.task === null ? null : (state.outcomes.get(run.task) ?? null);
      const current = run.task === null ? undefined : taskState(state, run.task, now);
      return storedRun({ ...run, passed_over: passedOver, state: kept }, current);
    });
}

function taskState(state: ProjectState, id: string, now: number): TaskState | undefined {
  const message = state.messages.get(id);
  if (message !== undefined) return stateOf(message, now);
  return state.flows.get(id)?.flow.state === "open" ? "running" : state.finished.get(id)?.state;
}

function counts(state: ProjectState, cap: number): ScheduleCounts {
  const all = [...state.schedules.values()];
  const count = (some: readonly unknown[]): number => Math.min(some.length, cap + 1);
  const nextRun = Math.min(...all.map(dueTime));
  return {
    all: count(all),
    paused: count(all.filter(({ paused }) => paused)),
    broken: count(all.filter(({ fault }) => fault !== null)),
    nextRun: nextRun === Infinity ? null : nextRun,
  };
}
