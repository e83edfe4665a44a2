import type { Backend } from "../contracts/backend.js";
import type { Consumer, Delivery } from "../contracts/broker.js";
import type { AttemptRecord, ErrorRecord, NewTask, Outcome, Settlement, StoredTask } from "../contracts/store.js";
import { consumer, idOf, takeOne } from "./messages.js";

/** A task whose envelope is its name, so that a failed comparison can be read. */
export function newTask(name: string, options: Partial<NewTask> = {}): NewTask {
  return {
    id: idOf(name),
    queue: "q",
    envelope: name,
    func: "core.tasks.resize",
    name: null,
    group: null,
    kind: "task",
    parent: null,
    priority: 0,
    delayMs: 0,
    dueAt: null,
    expiresMs: null,
    unique: null,
    ...options,
  };
}

/** A task's hook, as it follows from the task's end. */
export function hookOf(parent: string, options: Partial<NewTask> = {}): NewTask {
  return newTask(`hook of ${parent}`, { kind: "hook", parent: idOf(parent), func: "core.tasks.notify", ...options });
}

export function errorRecord(message: string, options: Partial<ErrorRecord> = {}): ErrorRecord {
  return { name: "TypeError", message, stack: `TypeError: ${message}\n    at tasks.js:1:1`, ...options };
}

/** The attempt that a delivery led to. It took 5 ms. */
export function attemptOf(delivery: Delivery, options: Partial<AttemptRecord> = {}): AttemptRecord {
  const startedAt = options.startedAt ?? delivery.dueAt;
  return {
    number: delivery.starts + 1,
    ending: "succeeded",
    counted: true,
    startedAt,
    stoppedAt: startedAt + 5,
    worker: "web-1:4712",
    error: null,
    ...options,
  };
}

/** How a delivery ended. `attempt: null` for what never started. */
export type Ending = (delivery: Delivery, options?: Partial<Settlement>) => Settlement;

export const succeeded: Ending = (delivery, options) =>
  settlement(delivery, {}, { to: "succeeded", result: `result of ${delivery.envelope}`, keep: true }, options);

export const failed: Ending = (delivery, options) => {
  const error = errorRecord(`${delivery.envelope} failed`);
  return settlement(delivery, { ending: "error", error }, { to: "failed", error }, options);
};

export const cancelled: Ending = (delivery, options) => {
  const error = errorRecord(`${delivery.envelope} was cancelled`);
  return settlement(delivery, { ending: "cancelled", counted: false, error }, { to: "cancelled", error }, options);
};

export const expired: Ending = (delivery, options) => {
  const error = errorRecord(`${delivery.envelope} came too late`);
  return settlement(delivery, {}, { to: "expired", error }, { attempt: null, ...options });
};

export function retrying(delayMs: number): Ending {
  return (delivery, options) => {
    const error = errorRecord(`${delivery.envelope} failed`);
    return settlement(delivery, { ending: "error", error }, { to: "retrying", delayMs }, options);
  };
}

export function givenBack(delayMs: number = 0, suspect: boolean = false): Ending {
  return (delivery, options) =>
    settlement(delivery, { ending: "released", counted: false }, { to: "queued", delayMs, suspect }, options);
}

/** A success that leaves no record. */
export const succeededUnkept: Ending = (delivery, options) =>
  succeeded(delivery, { outcome: { to: "succeeded", result: "gone", keep: false }, ...options });

function settlement(
  delivery: Delivery,
  attempt: Partial<AttemptRecord>,
  outcome: Outcome,
  options: Partial<Settlement> = {},
): Settlement {
  const { receipt, id } = delivery;
  return { receipt, id, attempt: attemptOf(delivery, attempt), outcome, followUps: [], ...options };
}

/** Submits a task, takes it and ends it, as a cluster would. Nothing else may be due in its queue. */
export async function runTask(backend: Backend, task: NewTask, end: Ending = succeeded): Promise<void> {
  await backend.store.submit([task]);
  const owner = await consumer(backend.broker, { queues: [task.queue] });
  const delivery = await takeOne(owner);
  if (delivery.id !== task.id)
    throw new Error(`Expected ${task.envelope} to be next, and it was ${delivery.envelope}.`);
  await finishOne(backend, owner, end(delivery));
  await owner.close();
}

/** Ends one delivery, which must still be ours. */
export async function finishOne(backend: Backend, owner: Consumer, end: Settlement): Promise<void> {
  const [ours] = await backend.store.finish(owner.id, [end]);
  if (ours !== true) throw new Error(`Expected the ending of ${end.id} to be stored, and it was refused.`);
}

/** The one task of that name, which must be there. */
export async function stored(backend: Backend, name: string): Promise<StoredTask> {
  const [task] = await backend.store.get([idOf(name)]);
  if (task === undefined) throw new Error(`Expected the store to know "${name}", and it does not.`);
  return task;
}

/** The task's state, or `unknown`. */
export async function stateOf(backend: Backend, name: string): Promise<string> {
  const [task] = await backend.store.get([idOf(name)]);
  return task?.state ?? "unknown";
}
