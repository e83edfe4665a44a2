import { sendableSignals } from "../core/signals.js";
import type { FinishedTask, Fn, OutgoingTask, Signal } from "../core/task-types.js";

/**
 * What can be observed, in the process where it happens. Handlers are called in the order in which they were connected,
 * may be async, and are waited for, 5 s at most. One that throws is logged and costs no task.
 *
 * Counterpart in Django Q2: `django_q.signals`.
 */
export const signals: {
  /** In the process that enqueues, before the task is sealed. What the handler changes is taken over. */
  readonly preEnqueue: Signal<[task: OutgoingTask]>;
  /** In a worker that has just started. */
  readonly postSpawn: Signal<[workerName: string]>;
  /** In a worker, before a task runs. */
  readonly preExecute: Signal<[func: Fn | undefined, task: OutgoingTask]>;
  /** In the worker that ran the task, before its result is stored. Not when the worker died. */
  readonly postExecuteInWorker: Signal<[func: Fn | undefined, task: FinishedTask]>;
  /** In a worker, once the outcome of an attempt is stored. Best effort; use a hook for what must happen. */
  readonly postExecute: Signal<[task: FinishedTask]>;
} = sendableSignals;
