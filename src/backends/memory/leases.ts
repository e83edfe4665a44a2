import type { ConsumeOptions, Delivery, RunningTask } from "../../contracts/broker.js";
import type { AttemptRecord } from "../../contracts/store.js";
import { timeToResend } from "../../core/outbox-times.js";
import { LeaseLostError } from "../../errors.js";
import { joinLine, leaveLine } from "./line.js";
import type { ConsumerState, Message, ProjectState } from "./state.js";
import { isPastExpiry } from "./task-states.js";
import { freeKey } from "./unique-keys.js";

export function openLease(state: ProjectState, options: ConsumeOptions, now: number): ConsumerState {
  const { leaseMs, cluster } = options;
  const id = `memory-${++state.sequence}`;
  const lease = { id, leaseMs, cluster, expiresAt: now + leaseMs, unbrokenSince: now, running: [] };
  state.consumers.set(id, lease);
  return lease;
}

export function renewLease(state: ProjectState, id: string, running: readonly RunningTask[], now: number): void {
  const lease = liveLease(state, id);
  if (lease.expiresAt <= now) lease.unbrokenSince = now;
  lease.expiresAt = now + lease.leaseMs;
  lease.running = structuredClone(running);
}

export function liveLease(state: ProjectState, id: string): ConsumerState {
  const lease = state.consumers.get(id);
  if (lease === undefined) throw new LeaseLostError(id);
  return lease;
}

/** Gives everything back, as a clean release does, and ends the lease. */
export function closeLease(state: ProjectState, id: string, now: number): void {
  if (!state.consumers.delete(id)) return;
  for (const message of heldBy(state, id)) {
    message.deliveries -= 1;
    giveBack(state, message, now);
  }
  // A take that still waits must hear that it waits for nothing.
  state.bell.ring();
}

/** When `heir` may take over from `other`, if both go on as now. */
export function takeoverTime(heir: ConsumerState, other: ConsumerState): number {
  return Math.max(other.expiresAt, heir.unbrokenSince + heir.leaseMs);
}

/** Ends the leases of those that fell silent, provided that `heir` itself never did. */
export function takeOver(state: ProjectState, heir: ConsumerState, now: number): void {
  if (heir.expiresAt <= now) return;
  for (const other of state.consumers.values()) {
    if (other !== heir && takeoverTime(heir, other) <= now) endLease(state, other, now);
  }
}

function endLease(state: ProjectState, lease: ConsumerState, now: number): void {
  state.consumers.delete(lease.id);
  for (const message of heldBy(state, lease.id)) {
    const running = lease.running.find((task) => task.id === message.id);
    if (running !== undefined) {
      recordAttempt(state, message, lostAttempt(lease, message, running, now));
      message.deliveries = 0;
    }
    giveBack(state, message, now);
  }
}

function lostAttempt(lease: ConsumerState, message: Message, running: RunningTask, now: number): AttemptRecord {
  const { host, pid } = lease.cluster;
  return {
    number: message.starts + 1,
    ending: "lost",
    counted: true,
    startedAt: running.startedAt,
    stoppedAt: now,
    worker: running.worker,
    error: {
      name: "ClusterLostError",
      message: `The cluster on ${host} with process id ${pid} stopped renewing its lease while the task ran.`,
      stack: null,
    },
  };
}

export function recordAttempt(state: ProjectState, message: Message, attempt: AttemptRecord): void {
  const attempts = state.attempts.get(message.id);
  if (attempts === undefined) state.attempts.set(message.id, [attempt]);
  else attempts.push(attempt);
  message.starts += 1;
  if (attempt.counted) message.attempts += 1;
}

export function handOut(state: ProjectState, message: Message, consumer: string, now: number): Delivery {
  leaveLine(state, message);
  message.holder = consumer;
  message.deliveries += 1;
  message.sendAt = null;
  if (message.unique?.until === "started") freeKey(state, message);
  return deliveryOf(message, now);
}

export function deliveryOf(message: Message, now: number): Delivery {
  const { seq: receipt, id, queue, envelope, deliveries, attempts, starts, queuedAt, dueAt } = message;
  const expired = isPastExpiry(message, now);
  return { receipt, id, queue, envelope, deliveries, attempts, starts, queuedAt, dueAt, expired };
}

export function giveBack(state: ProjectState, message: Message, now: number): void {
  message.holder = null;
  if (state.outbox !== null) message.sendAt = timeToResend(state.outbox, now, message.dueAt);
  joinLine(state, message);
  state.bell.ring();
}

export function heldBy(state: ProjectState, consumer: string): Message[] {
  return [...state.messages.values()].filter((message) => message.holder === consumer);
}
