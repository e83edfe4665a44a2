import { createHash } from "node:crypto";
import type { Broker, Consumer, ConsumeOptions, Delivery, OutgoingMessage, TakeOptions } from "../contracts/broker.js";
import { longLease } from "./waiting.js";

/** The id that tests give to what they call `name`: 32 hexadecimal digits. */
export function idOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** A message whose envelope is its name, so that a failed comparison can be read. */
export function message(name: string, options: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return { id: idOf(name), envelope: name, priority: 0, delayMs: 0, ...options };
}

/** `count` messages: m0, m1 … */
export function messages(count: number): OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => message(`m${index}`));
}

/** What was taken, by name, in the order of the deliveries. */
export function names(deliveries: readonly { readonly envelope: string }[]): string[] {
  return deliveries.map((delivery) => delivery.envelope);
}

/** Whatever is there, without waiting. */
export const atOnce: TakeOptions = { max: 100, waitMs: 0 };

/** Whatever comes, with a wait no test outlasts. */
export const inTime: TakeOptions = { max: 100, waitMs: 30_000 };

/** A consumer of queue `q` that nobody takes over from, unless told otherwise. */
export function consumer(broker: Broker, options: Partial<ConsumeOptions> = {}): Promise<Consumer> {
  return broker.consume({
    queues: ["q"],
    leaseMs: longLease,
    cluster: { id: "cluster-1", host: "web-1", pid: 4711 },
    ...options,
  });
}

/** The next message, which must be there. */
export async function takeOne(from: Consumer, options: Partial<TakeOptions> = {}): Promise<Delivery> {
  const [delivery] = await from.take({ waitMs: 0, ...options, max: 1 });
  if (delivery === undefined) throw new Error("Expected a message to be due, and none was.");
  return delivery;
}

/** Everything that is due, by as many calls as it takes. */
export async function takeAll(from: Consumer, max: number = 100): Promise<Delivery[]> {
  const all: Delivery[] = [];
  // More than any test sends: a broker that hands out the same message for ever must not hang the suite.
  while (all.length < 5_000) {
    const some = await from.take({ max, waitMs: 0 });
    if (some.length === 0) return all;
    all.push(...some);
  }
  throw new Error(`Expected the queue to be empty at some time, and took ${all.length} messages.`);
}
