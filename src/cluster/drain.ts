import type { Broker } from "../contracts/broker.js";

/** A task that is due later than this does not hold up a drain, in milliseconds. */
const soonMs = 60_000;
const lookEveryMs = 100;
/** Waiting messages looked at to find one that is due soon. */
const page = 200;

export interface DrainParts {
  readonly broker: Pick<Broker, "queueSize" | "list">;
  readonly queues: readonly string[];
  readonly busy: () => boolean;
  readonly stopped: Promise<unknown>;
}

/** Resolves when nothing runs and nothing in the queues becomes due within a minute. */
export async function drained({ broker, queues, busy, stopped }: DrainParts): Promise<void> {
  let over = false;
  void stopped.then(() => (over = true));
  while (!over) {
    if (!busy() && !(await hasWork(broker, queues)) && !busy()) return;
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

async function hasWork(broker: DrainParts["broker"], queues: readonly string[]): Promise<boolean> {
  for (const queue of queues) {
    const size = await broker.queueSize(queue);
    if (size > page) return true;
    const waiting = size === 0 ? [] : await broker.list(queue, { limit: page });
    if (waiting.some((message) => message.dueAt < Date.now() + soonMs)) return true;
  }
  return false;
}
