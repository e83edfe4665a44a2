import type { MinuteRollup, StoredTask } from "../../contracts/store.js";
import type { ProjectState } from "./state.js";

const minuteMs = 60_000;

/** Counts a finished task in the minute in which it was stored. */
export function rollUp(state: ProjectState, task: StoredTask, now: number): void {
  if (task.kind !== "task") return;
  const minute = startOfMinute(now);
  const key = `${minute} ${task.queue}`;
  let rollup = state.rollups.get(key);
  if (rollup === undefined) {
    rollup = { minute, queue: task.queue, succeeded: 0, failed: 0, busyMs: 0 };
    state.rollups.set(key, rollup);
  }
  if (task.state === "succeeded") rollup.succeeded += 1;
  else rollup.failed += 1;
  if (task.startedAt !== null && task.stoppedAt !== null) rollup.busyMs += task.stoppedAt - task.startedAt;
}

export function rollupsSince(state: ProjectState, since: number): MinuteRollup[] {
  const from = startOfMinute(since);
  return [...state.rollups.values()]
    .filter((rollup) => rollup.minute >= from)
    .sort((a, b) => a.minute - b.minute || (a.queue < b.queue ? -1 : 1))
    .map((rollup) => ({ ...rollup }));
}

function startOfMinute(ms: number): number {
  return Math.floor(ms / minuteMs) * minuteMs;
}
