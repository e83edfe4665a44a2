import type { Consumer, Delivery, Receipt, ReleaseOptions, RunningTask, TakeOptions } from "../../contracts/broker.js";
import type { Clock } from "../../contracts/clock.js";
import { closeLease, giveBack, handOut, heldBy, liveLease, renewLease, takeOver, takeoverTime } from "./leases.js";
import { dueIn } from "./line.js";
import type { Message, ProjectState } from "./state.js";
import { forget } from "./settle.js";

export interface ConsumerContext {
  readonly state: ProjectState;
  readonly clock: Clock;
  /** Aborts when the backend is closed. */
  readonly closed: AbortSignal;
}

export function memoryConsumer(context: ConsumerContext, id: string, queues: readonly string[]): Consumer {
  const { state, clock } = context;
  return {
    id,
    take: (options) => take(context, id, { ...options, from: options.from ?? queues }),
    async acknowledge(receipts) {
      return held(state, id, receipts).map((message) => message !== undefined && forget(state, message));
    },
    async release(receipts, options = {}) {
      for (const message of held(state, id, receipts)) {
        if (message !== undefined) release(state, message, options, clock.now());
      }
    },
    async renew(running: readonly RunningTask[]) {
      const now = clock.now();
      renewLease(state, id, running, now);
      takeOver(state, liveLease(state, id), now);
    },
    async close() {
      closeLease(state, id, clock.now());
    },
  };
}

async function take(
  { state, clock, closed }: ConsumerContext,
  id: string,
  { from = [], max, waitMs, signal }: TakeOptions,
): Promise<Delivery[]> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    if (signal?.aborted === true || closed.aborted) return [];
    const taken = takeNow(state, id, from, max, clock.now());
    const left = deadline - performance.now();
    if (taken.length > 0 || left <= 0) return taken;
    await state.bell.wait(Math.min(left, nextMoment(state, id, from, clock.now())), [signal, closed]);
  }
}

function takeNow(state: ProjectState, id: string, from: readonly string[], max: number, now: number): Delivery[] {
  takeOver(state, liveLease(state, id), now);
  const taken: Delivery[] = [];
  for (const queue of from) {
    const due = dueIn(state, queue, max - taken.length, now);
    for (const message of due) taken.push(handOut(state, message, id, now));
  }
  return taken;
}

/** How long until a message becomes due or a lease may end, in milliseconds. */
function nextMoment(state: ProjectState, id: string, from: readonly string[], now: number): number {
  const own = liveLease(state, id);
  const moments = [...state.consumers.values()]
    .filter((other) => other !== own)
    .map((other) => takeoverTime(own, other));
  for (const queue of from) for (const message of state.lines.get(queue) ?? []) moments.push(message.dueAt);
  return moments.reduce((next, moment) => (moment > now ? Math.min(next, moment - now) : next), Infinity);
}

function held(state: ProjectState, id: string, receipts: readonly Receipt[]): (Message | undefined)[] {
  const bySeq = new Map<Receipt, Message>(heldBy(state, id).map((message) => [message.seq, message]));
  return receipts.map((receipt) => bySeq.get(receipt));
}

function release(state: ProjectState, message: Message, options: ReleaseOptions, now: number): void {
  const { delayMs = 0, suspect = false } = options;
  message.deliveries += suspect ? 1 : -1;
  if (delayMs > 0) message.dueAt = now + delayMs;
  giveBack(state, message, now);
}
