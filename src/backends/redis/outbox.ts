import type { Begun, Hold, Outbox, OutboxOptions, UnsentMessage } from "../../contracts/outbox.js";
import { LeaseLostError } from "../../errors.js";
import { openConsumer, type ConsumerParts, type RedisConsumer } from "./consumer.js";
import { deliveryOf } from "./deliveries.js";
import { priorityOfRank } from "./key-layout.js";
import type { RedisProject, Values } from "./project.js";

/** Ids in one call of a script. */
const atOnce = 256;

type BeginReply = readonly [now: number, ...answers: (string | number)[]] | null;
type UnsentReply = readonly [nextInMs: number, ...messages: (string | number)[]] | null;

/** Tasks that a broker elsewhere carries: the sorted set `unsent` has their times to send. */
export function redisOutbox(parts: ConsumerParts, options: OutboxOptions): Outbox {
  const { project } = parts;
  return {
    async hold(request) {
      const consumer = await openConsumer(parts, request);
      await adopt(project);
      return redisHold(consumer, parts, options);
    },
    async sent(ids) {
      for (const some of inSteps(ids)) await project.run("outbox", ["sent", ...some]);
    },
  };
}

function redisHold(
  consumer: RedisConsumer,
  { project, held }: ConsumerParts,
  { missingMs, queues }: OutboxOptions,
): Hold {
  const { id } = consumer;
  const ask = async (...values: Values): Promise<NonNullable<UnsentReply>> => {
    const reply = await project.run<UnsentReply>("outbox", values);
    if (reply === null) throw new LeaseLostError(id);
    return reply;
  };
  return {
    id,
    acknowledge: (receipts) => consumer.acknowledge(receipts),
    release: (receipts, how) => consumer.release(receipts, how),
    renew: (running) => consumer.renew(running),
    close: () => consumer.close(),
    begin: (ids) =>
      consumer.inTurn(async () => {
        const answers = await begin(project, id, ids);
        const begun = answers.flatMap((answer) => (answer.as === "begun" ? [String(answer.delivery.receipt)] : []));
        held.add(id, begun);
        return answers;
      }),
    take: queues === undefined ? undefined : (how) => consumer.take(how),
    async unsent(max) {
      const [nextInMs, ...texts] = await ask("unsent", id, max);
      return { messages: readMessages(texts), nextInMs: nextInMs < 0 ? null : nextInMs };
    },
    async missing(queue, max) {
      const [, ...texts] = await ask("missing", id, max, queue, Math.floor(missingMs));
      return readMessages(texts);
    },
  };
}

/** Gives a time to send to what was written without one, in all lines, some at a time. */
async function adopt(project: RedisProject): Promise<void> {
  const lists = await project.run<string[]>("names", ["waiting"]);
  for (const list of lists.filter((name) => !name.startsWith("h:"))) {
    let cursor = "0";
    do cursor = await project.run<string>("outbox", ["adopt", list, cursor]);
    while (cursor !== "0");
  }
}

async function begin(project: RedisProject, consumer: string, ids: readonly string[]): Promise<Begun[]> {
  const answers: Begun[] = [];
  for (const some of ids.length === 0 ? [[]] : inSteps(ids)) {
    const reply = await project.run<BeginReply>("begin", [consumer, ...some]);
    if (reply === null) throw new LeaseLostError(consumer);
    const [now, ...texts] = reply;
    for (let at = 0; at < texts.length; at += 3) answers.push(readAnswer(texts.slice(at, at + 3), now));
  }
  return answers;
}

function readAnswer([word, what = "", changes = ""]: readonly (string | number)[], now: number): Begun {
  if (word === "f") return { as: "finished" };
  if (word === "u") return { as: "unknown" };
  if (word === "l") return { as: "later", delayMs: Number(what) };
  return { as: "begun", delivery: deliveryOf(String(what), String(changes), now) };
}

function readMessages(texts: readonly (string | number)[]): UnsentMessage[] {
  const messages: UnsentMessage[] = [];
  for (let at = 0; at < texts.length; at += 4) {
    const [id, queue, rank, delayMs] = texts.slice(at, at + 4);
    messages.push({
      id: String(id),
      queue: String(queue),
      priority: priorityOfRank(Number(rank)),
      delayMs: Number(delayMs),
    });
  }
  return messages;
}

function inSteps(ids: readonly string[]): string[][] {
  const steps: string[][] = [];
  for (let from = 0; from < ids.length; from += atOnce) steps.push(ids.slice(from, from + atOnce));
  return steps;
}
