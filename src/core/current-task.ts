import { AsyncLocalStorage } from "node:async_hooks";
import type { CurrentTask } from "./task-types.js";

const key = Symbol.for("qluster.current-task.1");
const globals = globalThis as typeof globalThis & { [key]?: AsyncLocalStorage<CurrentTask> };

/** The running task travels with the asynchronous context; shared by all copies of this module. */
export const currentTasks: AsyncLocalStorage<CurrentTask> = (globals[key] ??= new AsyncLocalStorage());

/** The task that this code runs in, or `undefined` outside of one, so that a task stays callable anywhere. */
export function currentTask(): CurrentTask | undefined {
  return currentTasks.getStore();
}
