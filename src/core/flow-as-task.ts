import type { StoredFlow } from "../contracts/flows.js";
import type { StoredTask } from "../contracts/store.js";

/** An open flow as a task that runs. */
export function flowAsTask({ id, kind, queue, func, name, group, envelope, openedAt }: StoredFlow): StoredTask {
  const times = { queuedAt: openedAt, dueAt: openedAt, startedAt: openedAt, stoppedAt: null };
  const common = { id, kind, queue, func, name, group, envelope, parent: null, priority: 0, attempts: 0 };
  return { ...common, ...times, state: "running", worker: null, result: null, error: null };
}
