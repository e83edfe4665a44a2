import type { Broker, BrokerCapabilities, ListedMessage } from "../../contracts/broker.js";
import { openConsumer, type ConsumerParts } from "./consumer.js";
import { idOfMember } from "./key-layout.js";
import { bareTask } from "../../core/bare-task.js";
import { packMessage, readBody, readChanges } from "./packing.js";
import type { RedisProject } from "./project.js";

/** Redis' own limit for one text is 512 MiB, and one value holds a result and an envelope. */
export const maxTextBytes: number = 128 * 1024 * 1024;

/** Messages removed in one call of the script. */
const step = 256;

const capabilities: BrokerCapabilities = {
  copies: false,
  priority: true,
  maxDelayMs: Number.MAX_SAFE_INTEGER,
  maxBytes: maxTextBytes,
  list: true,
  push: true,
  shared: true,
};

/** Messages in sorted sets, one for each queue. @param info - One line for people: product, version, place, durability. */
export function redisBroker(parts: ConsumerParts, info: () => Promise<string>): Broker {
  const { project } = parts;
  return {
    capabilities,

    async enqueue(queue, messages) {
      if (messages.length === 0) return;
      const values = messages.flatMap((message) => packMessage(bareTask(queue, message)));
      await project.runSafely("submit", () => [0, ...values]);
    },

    consume: (options) => openConsumer(parts, options),

    queueSize: async (queue) => (await sizes(project, queue))[0],
    lockSize: async (queue) => (await sizes(project, queue))[1],
    list: (queue, { limit, after }) => listQueue(project, queue, limit, after),
    purge: (queue) => emptyQueue(project, queue, false),
    deleteQueue: (queue) => emptyQueue(project, queue, true),

    async ping() {
      const start = performance.now();
      await sizes(project, "");
      return performance.now() - start;
    },

    info,
  };
}

async function sizes(project: RedisProject, queue: string | undefined): Promise<readonly [number, number]> {
  return await project.run("queue", queue === undefined ? ["sizes"] : ["sizes", queue]);
}

/** Removes some at a time. What comes in meanwhile stays: no more is removed than there was at first. */
async function emptyQueue(project: RedisProject, queue: string, withHeld: boolean): Promise<number> {
  const [waiting, held] = await sizes(project, queue);
  const count = waiting + (withHeld ? held : 0);
  let removed = 0;
  while (removed < count) {
    const some = await project.run<number>("queue", [
      "empty",
      queue,
      withHeld ? 1 : 0,
      Math.min(step, count - removed),
    ]);
    if (some === 0) break;
    removed += some;
  }
  return removed;
}

/** Free messages in the order in which they are taken, then those that wait for their time, the next one first. */
async function listQueue(
  project: RedisProject,
  queue: string,
  limit: number,
  after?: string,
): Promise<ListedMessage[]> {
  const [part = "", score = "", member = ""] = after?.split(":") ?? [];
  const texts = await project.run<string[]>("queue", ["list", queue, limit, part, score, member]);
  const listed: ListedMessage[] = [];
  for (let at = 0; at < texts.length; at += 5) {
    const [name = "", place = "", own = "", body = "", changes = ""] = texts.slice(at, at + 5);
    if (body === "") continue;
    const { head, envelope, dueAt } = readBody(body);
    listed.push({
      id: idOfMember(own),
      envelope,
      priority: head[6],
      dueAt: readChanges(changes).dueAt ?? dueAt,
      held: false,
      cursor: `${name}:${place}:${own}`,
    });
  }
  return listed;
}
