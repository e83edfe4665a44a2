import type {
  NewRun,
  PassedOver,
  ScheduleDefinition,
  ScheduleProgress,
  StoredRun,
  StoredSchedule,
} from "../../contracts/schedules.js";
import type { NewTask, Submitted, TaskState } from "../../contracts/store.js";

/** A row of `qluster_schedule`. */
export interface ScheduleRow {
  readonly seq: number;
  readonly id: string;
  readonly revision: number;
  readonly run_count: number;
  readonly created_at: number;
  readonly name: string | null;
  /** Empty for schedules without one, so that an index finds them. */
  readonly cluster: string;
  readonly func: string;
  readonly rule: string;
  readonly target: string;
  readonly declared_by: string | null;
  readonly fingerprint: string;
  readonly next_run: number | null;
  readonly due_at: number | null;
  readonly repeats: number;
  readonly paused: number | boolean;
  readonly last_task: string | null;
  readonly fault: string | null;
}

/** A row of `qluster_schedule_run`, with the state that its task has now, if it is there. */
export interface RunRow {
  readonly number: number;
  readonly slot: number;
  readonly at: number;
  readonly task: string | null;
  readonly passed_over: PassedOver | null;
  readonly manual: number | boolean;
  /** The last known state of a task that is gone. */
  readonly state: TaskState | null;
}

/** So many runs of a schedule are kept. */
export const keptRuns = 1_000;

export const definitionColumns = "name, cluster, func, rule, target, declared_by, fingerprint";
export const progressColumns = "next_run, due_at, repeats, paused, last_task, fault";

export function definitionValues(definition: ScheduleDefinition): (string | null)[] {
  const { name, cluster, func, rule, target, declaredBy, fingerprint } = definition;
  return [name, cluster ?? "", func, rule, target, declaredBy, fingerprint];
}

export function progressValues(progress: ScheduleProgress): (string | number | null)[] {
  const { nextRun, dueAt, repeats, paused, lastTask, fault } = progress;
  return [nextRun, dueAt, repeats, paused ? 1 : 0, lastTask, fault === null ? null : JSON.stringify(fault)];
}

export function storedSchedule(row: ScheduleRow): StoredSchedule {
  return {
    id: row.id,
    revision: row.revision,
    runCount: row.run_count,
    createdAt: row.created_at,
    name: row.name,
    cluster: row.cluster === "" ? null : row.cluster,
    func: row.func,
    rule: row.rule,
    target: row.target,
    declaredBy: row.declared_by,
    fingerprint: row.fingerprint,
    nextRun: row.next_run,
    dueAt: row.due_at,
    repeats: row.repeats,
    paused: Boolean(row.paused),
    lastTask: row.last_task,
    fault: row.fault === null ? null : (JSON.parse(row.fault) as StoredSchedule["fault"]),
  };
}

/** @param current - The state of its task, when the task is there. */
export function storedRun(row: RunRow, current: TaskState | undefined): StoredRun {
  const { number, slot, at, task, passed_over: passedOver } = row;
  const state = passedOver ?? current ?? row.state ?? "unknown";
  return { number, slot, at, task, passedOver, manual: Boolean(row.manual), state };
}

/** Runs whose task was not stored because another one has its unique key, as runs that were passed over. */
export function runsAfterSubmit(
  runs: readonly NewRun[],
  tasks: readonly NewTask[],
  submitted: readonly Submitted[],
): NewRun[] {
  const elsewhere = new Set(tasks.filter((task, index) => submitted[index]?.id !== task.id).map(({ id }) => id));
  return runs.map((run) =>
    run.task !== null && elsewhere.has(run.task) ? { ...run, task: null, passedOver: "skipped" } : run,
  );
}
