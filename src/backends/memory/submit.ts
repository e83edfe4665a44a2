import type { OutgoingMessage } from "../../contracts/broker.js";
import type { NewTask, Submitted } from "../../contracts/store.js";
import { bareTask } from "../../core/bare-task.js";
import { admitMembers } from "./flow-join.js";
import { timeToSend } from "../../core/outbox-times.js";
import { joinLine } from "./line.js";
import type { Message, ProjectState } from "./state.js";
import { keyHolder, takeKey } from "./unique-keys.js";

/** Stores and queues tasks, all or none. */
export function submitTasks(state: ProjectState, tasks: readonly NewTask[], now: number): Submitted[] {
  return admitMembers(state, tasks).map((task, index) =>
    task === undefined ? { id: tasks[index]?.id ?? "", created: false } : submitTask(state, task, now),
  );
}

/** Stores and queues a task, unless its id or its unique key is taken. */
export function submitTask(state: ProjectState, task: NewTask, now: number): Submitted {
  if (isKnown(state, task.id)) return { id: task.id, created: false };
  const holder = keyHolder(state, task, now);
  if (holder !== undefined) return { id: holder, created: false };

  takeKey(state, task, now);
  addMessage(state, newMessage(state, task, now));
  return { id: task.id, created: true };
}

/** Queues a message that no task was stored for. */
export function enqueueMessage(state: ProjectState, queue: string, message: OutgoingMessage, now: number): void {
  if (state.messages.has(message.id)) return;
  addMessage(state, newMessage(state, bareTask(queue, message), now));
}

export function isKnown(state: ProjectState, id: string): boolean {
  return state.messages.has(id) || state.finished.has(id);
}

export function newMessage(state: ProjectState, task: NewTask, now: number): Message {
  const { id, queue, envelope, func, name, group, kind, parent, priority, unique, delayMs, expiresMs } = task;
  const dueAt = Math.max(now + delayMs, task.dueAt ?? 0);
  return {
    id,
    queue,
    envelope,
    func,
    name,
    group,
    kind,
    parent,
    priority,
    unique,
    member: task.member,
    seq: ++state.sequence,
    queuedAt: now,
    dueAt,
    expiresAt: expiresMs === null ? null : now + expiresMs,
    holder: null,
    deliveries: 0,
    attempts: 0,
    starts: 0,
    sendAt: state.outbox === null ? null : timeToSend(state.outbox, now, dueAt),
  };
}

function addMessage(state: ProjectState, message: Message): void {
  state.messages.set(message.id, message);
  joinLine(state, message);
  state.bell.ring();
}
