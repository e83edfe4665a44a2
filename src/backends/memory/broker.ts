import type { Broker, BrokerCapabilities, ListedMessage } from "../../contracts/broker.js";
import { memoryConsumer, type ConsumerContext } from "./consumer.js";
import { openLease } from "./leases.js";
import { placeIn } from "./line.js";
import { forget } from "./settle.js";
import type { Message, ProjectState } from "./state.js";
import { enqueueMessage } from "./submit.js";

const capabilities: BrokerCapabilities = {
  copies: false,
  priority: true,
  maxDelayMs: Number.MAX_SAFE_INTEGER,
  maxBytes: 256 * 1024 * 1024,
  list: true,
  push: true,
  shared: false,
};

export function memoryBroker(context: ConsumerContext, location: string): Broker {
  const { state, clock } = context;
  return {
    capabilities,
    async enqueue(queue, messages) {
      const now = clock.now();
      for (const message of messages) enqueueMessage(state, queue, message, now);
    },
    async consume(options) {
      return memoryConsumer(context, openLease(state, options, clock.now()).id, [...options.queues]);
    },
    queueSize: async (queue) => inQueue(state, queue).filter((message) => message.holder === null).length,
    lockSize: async (queue) => inQueue(state, queue).filter((message) => message.holder !== null).length,
    list: async (queue, page) => listWaiting(state, queue, page.limit, page.after),
    async purge(queue) {
      return inQueue(state, queue).filter((message) => message.holder === null && forget(state, message)).length;
    },
    async deleteQueue(queue) {
      return inQueue(state, queue).filter((message) => forget(state, message)).length;
    },
    ping: async () => 0,
    info: async () => `Memory of this process, place "${location}"`,
  };
}

function inQueue(state: ProjectState, queue: string | undefined): Message[] {
  const all = [...state.messages.values()];
  return queue === undefined ? all : all.filter((message) => message.queue === queue);
}

function listWaiting(state: ProjectState, queue: string, limit: number, after?: string): ListedMessage[] {
  const line = state.lines.get(queue) ?? [];
  const start = after === undefined ? 0 : placeIn(line, placeAfter(after));
  return line.slice(start, start + limit).map(({ id, envelope, priority, dueAt, seq }) => {
    return { id, envelope, priority, dueAt, held: false, cursor: `${priority} ${dueAt} ${seq}` };
  });
}

/** A cursor says where a message stood, so that it still means something when the message is gone. */
function placeAfter(cursor: string): { priority: number; dueAt: number; seq: number } {
  const [priority = 0, dueAt = 0, seq = 0] = cursor.split(" ").map(Number);
  return { priority, dueAt, seq: seq + 1 };
}
