import type { StoredFlow } from "../contracts/flows.js";
import type { StoredTask } from "../contracts/store.js";
import { parentOfFlow } from "./flow-end.js";

/** An open flow as a task that runs. */
export function flowAsTask(flow: StoredFlow): StoredTask {
  const { id, kind, queue, func, name, group, envelope, openedAt } = flow;
  const times = { queuedAt: openedAt, dueAt: openedAt, startedAt: openedAt, stoppedAt: null };
  const parent = parentOfFlow(flow);
  const common = { id, kind, queue, func, name, group, envelope, parent, priority: 0, attempts: 0 };
  return { ...common, ...times, state: "running", worker: null, result: null, error: null };
}
