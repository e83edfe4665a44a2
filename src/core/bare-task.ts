import type { OutgoingMessage } from "../contracts/broker.js";
import type { NewTask } from "../contracts/store.js";

/** A message that no task was stored for. */
export function bareTask(queue: string, { id, envelope, priority, delayMs }: OutgoingMessage): NewTask {
  return { ...withoutTask, id, queue, envelope, priority, delayMs };
}

const withoutTask = {
  func: "",
  name: null,
  group: null,
  kind: "task",
  parent: null,
  dueAt: null,
  expiresMs: null,
  unique: null,
} as const;
