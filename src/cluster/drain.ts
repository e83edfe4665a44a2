import type { Broker } from "../contracts/broker.js";

/** A task that is due later than this does not hold up a drain, in milliseconds. */
const soonMs = 60_000;
/** Pause between looks, in milliseconds: first, and at most, as a long queue of later tasks is read through each time. */
const pauses = { first: 100, longest: 2_000 } as const;
/** Waiting messages read at a time. */
const page = 200;

export interface DrainParts {
  readonly broker: Pick<Broker, "queueSize" | "lockSize" | "list">;
  readonly queues: readonly string[];
  readonly busy: () => boolean;
  readonly stopped: Promise<unknown>;
}

/** Resolves when nothing runs and nothing in the queues becomes due within a minute. */
export async function drained({ broker, queues, busy, stopped }: DrainParts): Promise<void> {
  let over = false;
  void stopped.then(() => (over = true));
  for (let pauseMs: number = pauses.first; !over; pauseMs = Math.min(pauseMs * 1.5, pauses.longest)) {
    if (busy()) pauseMs = pauses.first;
    else if (!(await hasWork(broker, queues)) && !busy()) return;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function hasWork(broker: DrainParts["broker"], queues: readonly string[]): Promise<boolean> {
  for (const queue of queues) {
    // What is held counts as well: it may be on its way to us.
    if ((await broker.lockSize(queue)) > 0) return true;
    if ((await broker.queueSize(queue)) > 0 && (await isDueSoon(broker, queue))) return true;
  }
  return false;
}

async function isDueSoon(broker: DrainParts["broker"], queue: string): Promise<boolean> {
  for (let after: string | undefined; ;) {
    const waiting = await broker.list(queue, { limit: page, after });
    if (waiting.some((message) => message.dueAt < Date.now() + soonMs)) return true;
    if (waiting.length < page) return false;
    after = waiting.at(-1)?.cursor;
  }
}
