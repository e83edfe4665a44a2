import type { Backend } from "../../contracts/backend.js";
import type { ChangeAnswer, NewRun, NewSchedule, ScheduleChange, StoredSchedule } from "../../contracts/schedules.js";
import { idOf } from "../messages.js";
import { newTask } from "../tasks.js";

/** A schedule without a slot, unless told otherwise. Its rule and target are its name. */
export function newSchedule(name: string, options: Partial<NewSchedule> = {}): NewSchedule {
  return {
    id: idOf(name),
    name: null,
    cluster: null,
    func: "core.tasks.report",
    rule: `rule of ${name}`,
    target: `target of ${name}`,
    declaredBy: null,
    fingerprint: `print of ${name}`,
    nextRun: null,
    dueAt: null,
    repeats: -1,
    paused: false,
    lastTask: null,
    fault: null,
    ...options,
  };
}

/** Stores a schedule and reads it back. */
export async function insert(backend: Backend, schedule: NewSchedule): Promise<StoredSchedule> {
  await backend.store.schedules.insert(schedule);
  return await readSchedule(backend, schedule.id);
}

/** The schedule, which must be there. */
export async function readSchedule({ store }: Backend, id: string): Promise<StoredSchedule> {
  const found = await store.schedules.find(id);
  if (found === undefined) throw new Error(`Expected the store to know the schedule ${id}, and it does not.`);
  return found;
}

/** A change that leaves everything as it is, with what `options` say. */
export function changeOf(schedule: StoredSchedule, options: Partial<ScheduleChange> = {}): ScheduleChange {
  const { id, revision, nextRun, dueAt, repeats, paused, lastTask, fault } = schedule;
  return {
    id,
    revision,
    progress: { nextRun, dueAt, repeats, paused, lastTask, fault },
    runs: [],
    tasks: [],
    ...options,
  };
}

/** The next run of a schedule. */
export function runOf(schedule: StoredSchedule, options: Partial<NewRun> = {}): NewRun {
  return {
    number: schedule.runCount + 1,
    slot: 1_000,
    at: 1_001,
    task: null,
    passedOver: null,
    manual: false,
    ...options,
  };
}

/** Fires one slot: its task, its run, and the slot after it, a minute later. */
export function firing(schedule: StoredSchedule, task: string, slot: number): ScheduleChange {
  const next = slot + 60_000;
  const { progress } = changeOf(schedule);
  return changeOf(schedule, {
    progress: progress === null ? null : { ...progress, nextRun: next, dueAt: next, lastTask: idOf(task) },
    runs: [runOf(schedule, { slot, at: slot + 5, task: idOf(task) })],
    tasks: [newTask(task, { parent: schedule.id })],
  });
}

/** The answer to one change. */
export async function change({ store }: Backend, one: ScheduleChange): Promise<ChangeAnswer> {
  const [answer] = await store.schedules.change([one]);
  if (answer === undefined) throw new Error("Expected an answer to the change, and got none.");
  return answer;
}
