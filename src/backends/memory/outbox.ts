import type { Begun, Hold, Outbox, OutboxOptions, Unsent, UnsentMessage } from "../../contracts/outbox.js";
import { timeToResend } from "../../core/outbox-times.js";
import { memoryConsumer, type ConsumerContext } from "./consumer.js";
import { deliveryOf, handOut, liveLease, openLease, takeOver, takeoverTime } from "./leases.js";
import type { Message, ProjectState } from "./state.js";

/** A message with a time to send: nobody holds it. */
type Sendable = Message & { sendAt: number };

export function memoryOutbox(context: ConsumerContext, options: OutboxOptions): Outbox {
  const { state, clock } = context;
  return {
    async hold(request) {
      const now = clock.now();
      adopt(state, options, now);
      return memoryHold(context, openLease(state, request, now).id, options);
    },
    async sent(ids) {
      const now = clock.now();
      for (const id of new Set(ids)) {
        const message = state.messages.get(id);
        if (message === undefined || message.sendAt === null || message.sendAt > now + options.handMs) continue;
        message.sendAt = timeToResend(options, now, message.dueAt);
      }
    },
  };
}

function memoryHold(context: ConsumerContext, id: string, options: OutboxOptions): Hold {
  const { state, clock } = context;
  return {
    ...memoryConsumer(context, id, []),
    async begin(ids) {
      const now = clock.now();
      takeOver(state, liveLease(state, id), now);
      return ids.map((one) => begin(state, id, one, now));
    },
    async unsent(max) {
      const now = clock.now();
      takeOver(state, liveLease(state, id), now);
      return unsentNow(state, options, max, now);
    },
    async missing(queue, max) {
      const now = clock.now();
      liveLease(state, id);
      const sentBefore = now + options.resendMs - options.missingMs;
      const lost = sendable(state).filter((message) => {
        const isSent = message.sendAt > now + options.handMs && message.sendAt <= sentBefore;
        return message.queue === queue && message.dueAt <= now && isSent;
      });
      return hand(lost.slice(0, max), options, now);
    },
  };
}

/** What was written before the place had an outbox. */
function adopt(state: ProjectState, { aheadMs }: OutboxOptions, now: number): void {
  for (const message of state.messages.values()) {
    if (message.holder === null) message.sendAt ??= Math.max(now, message.dueAt - aheadMs);
  }
}

function begin(state: ProjectState, consumer: string, id: string, now: number): Begun {
  const message = state.messages.get(id);
  if (message === undefined) return { as: state.finished.has(id) ? "finished" : "unknown" };
  if (message.holder === consumer) return { as: "begun", delivery: deliveryOf(message, now) };
  if (message.holder !== null) return later(freeAt(state, consumer, message.holder) - now);
  if (message.dueAt > now) return later(message.dueAt - now);
  return { as: "begun", delivery: handOut(state, message, consumer, now) };
}

function later(delayMs: number): Begun {
  return { as: "later", delayMs: Math.max(1, delayMs) };
}

function freeAt(state: ProjectState, heir: string, holder: string): number {
  const other = state.consumers.get(holder);
  return other === undefined ? 0 : takeoverTime(liveLease(state, heir), other);
}

function unsentNow(state: ProjectState, options: OutboxOptions, max: number, now: number): Unsent {
  const all = sendable(state);
  const due = all.filter(({ sendAt }) => sendAt <= now).slice(0, max);
  const next = all[due.length];
  const nextInMs = next === undefined ? null : Math.max(0, next.sendAt - now);
  return { messages: hand(due, options, now), nextInMs };
}

/** By time to send, then enqueue order. */
function sendable(state: ProjectState): Sendable[] {
  const all = [...state.messages.values()].filter((message): message is Sendable => message.sendAt !== null);
  return all.sort((a, b) => a.sendAt - b.sendAt || a.seq - b.seq);
}

function hand(messages: readonly Sendable[], { handMs }: OutboxOptions, now: number): UnsentMessage[] {
  return messages.map((message) => {
    const { id, queue, priority, dueAt } = message;
    message.sendAt = now + handMs;
    return { id, queue, priority, delayMs: Math.max(0, dueAt - now) };
  });
}
