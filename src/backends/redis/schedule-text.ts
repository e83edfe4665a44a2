import type {
  NewRun,
  PassedOver,
  ScheduleDefinition,
  ScheduleProgress,
  StoredRun,
  StoredSchedule,
} from "../../contracts/schedules.js";
import type { TaskState } from "../../contracts/store.js";

/** As `schedules.lua` reads it: JSON on one line. */
export function packDefinition(definition: ScheduleDefinition): string {
  const { name, cluster, func, rule, target, declaredBy, fingerprint } = definition;
  return JSON.stringify([name, cluster, func, rule, target, declaredBy, fingerprint] satisfies PackedDefinition);
}

/** As `schedules.lua` reads it: JSON on one line. */
export function packProgress({ nextRun, dueAt, repeats, paused, lastTask, fault }: ScheduleProgress): string {
  return JSON.stringify([nextRun, dueAt, repeats, paused, lastTask, fault] satisfies PackedProgress);
}

/** As `outcomes.lua` reads it. */
export function packRun({ number, slot, at, manual, passedOver, task }: NewRun): string {
  return [number, slot, at, manual ? 1 : 0, passedOver ?? "", task ?? ""].join(";");
}

export function readSchedule(id: string, text: string): StoredSchedule {
  const [counts = "", definitionText = "", progressText = ""] = text.split("\n");
  const [revision, runCount, createdAt] = counts.split(";").map(Number) as [number, number, number];
  const [name, cluster, func, rule, target, declaredBy, fingerprint] = JSON.parse(definitionText) as PackedDefinition;
  const [nextRun, dueAt, repeats, paused, lastTask, fault] = JSON.parse(progressText) as PackedProgress;
  return {
    id,
    revision,
    runCount,
    createdAt,
    name,
    cluster,
    func,
    rule,
    target,
    declaredBy,
    fingerprint,
    nextRun,
    dueAt,
    repeats,
    paused,
    lastTask,
    fault,
  };
}

/** @param state - Of its task, as far as anybody can tell. */
export function readRun(text: string, state: TaskState | undefined): StoredRun {
  const [number, slot, at, manual, passedOver = "", ...task] = text.split(";");
  const why = passedOver === "" ? null : (passedOver as PassedOver);
  return {
    number: Number(number),
    slot: Number(slot),
    at: Number(at),
    task: task.join(";") || null,
    passedOver: why,
    manual: manual === "1",
    state: why ?? state ?? "unknown",
  };
}

type PackedDefinition = [
  name: string | null,
  cluster: string | null,
  func: string,
  rule: string,
  target: string,
  declaredBy: string | null,
  fingerprint: string,
];

type PackedProgress = [
  nextRun: number | null,
  dueAt: number | null,
  repeats: number,
  paused: boolean,
  lastTask: string | null,
  fault: ScheduleProgress["fault"],
];
