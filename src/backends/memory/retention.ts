import type { RetentionLimits, StoredTask } from "../../contracts/store.js";
import { expireFlows } from "./flow-cancel.js";
import { keepOutcome } from "./schedules.js";
import type { ProjectState } from "./state.js";

/** Removes finished tasks that are older, or more, than the limits say. Resolves to how many. */
export function cleanUp(state: ProjectState, limits: RetentionLimits, now: number): number {
  expireFlows(state, now);
  const surplus = new Set([...tooOld(state, limits, now), ...tooMany(state, limits, now)]);
  for (const task of surplus) removeFinished(state, task);
  if (surplus.size > 0) state.bell.ring();
  return surplus.size;
}

export function removeFinished(state: ProjectState, task: StoredTask): void {
  keepOutcome(state, task, task.state);
  state.finished.delete(task.id);
  state.attempts.delete(task.id);
  state.notes.delete(task.id);
  state.flows.delete(task.id);
  state.memberOf.delete(task.id);
}

function tooOld(state: ProjectState, limits: RetentionLimits, now: number): StoredTask[] {
  return [...state.finished.values()].filter((task) => {
    const limit = task.state === "succeeded" ? limits.successesMs : limits.failuresMs;
    return limit !== null && age(task, now) > limit && !isKept(state, task, limits, now);
  });
}

function tooMany(state: ProjectState, limits: RetentionLimits, now: number): StoredTask[] {
  const { successesCount, per } = limits;
  if (successesCount === null) return [];
  const seen = new Map<string, number>();
  const newestFirst = [...state.finished.values()].filter(isCounted).toReversed();
  return newestFirst.filter((task) => {
    const line = JSON.stringify([task.kind, per === null ? null : task[per]]);
    const rank = (seen.get(line) ?? 0) + 1;
    seen.set(line, rank);
    return rank > successesCount && !isKept(state, task, limits, now);
  });
}

/** Records of flows go by their age alone. */
function isCounted({ state, kind }: StoredTask): boolean {
  return state === "succeeded" && (kind === "task" || kind === "hook");
}

/** Somebody may still be waiting for the group to be complete, or for the flow to end. */
function isKept(state: ProjectState, task: StoredTask, limits: RetentionLimits, now: number): boolean {
  if (task.group !== null && age(task, now) <= limits.groupMs) return true;
  const flow = state.memberOf.get(task.id);
  return flow !== undefined && state.flows.get(flow)?.flow.state === "open";
}

function age(task: StoredTask, now: number): number {
  return now - (task.stoppedAt ?? now);
}
