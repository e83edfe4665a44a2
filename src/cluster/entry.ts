import type { Delivery } from "../contracts/broker.js";
import { readHeader } from "../core/task-header.js";
import type { TaskHeader } from "../core/task-header.js";
import { policyOf } from "../core/settle.js";
import type { RunPolicy } from "../core/settle.js";

/** A message in the cluster's hands, with what its header says. */
export interface Entry {
  readonly delivery: Delivery;
  /** Under which hold it was taken; endings are written under the same one. */
  readonly consumer: string;
  /** Read without opening; of a message that cannot be read, only what the broker knows. */
  readonly header: TaskHeader;
  readonly policy: RunPolicy;
  /** It may have ended its worker before: it runs with no neighbours. */
  readonly alone: boolean;
  /** Since when it waits in memory, in monotonic milliseconds. */
  waitingSince: number;
}

/** Deliveries without an ending, this one included, above which a message is a suspect. */
const innocentDeliveries = 2;

export function entryOf(delivery: Delivery, consumer: string, defaults: RunPolicy, monotonicMs: number): Entry {
  const header = readHeader(delivery.envelope) ?? { v: 1, id: delivery.id, func: "unreadable" };
  return {
    delivery,
    consumer,
    header,
    policy: policyOf(header, defaults),
    alone: delivery.deliveries > innocentDeliveries,
    waitingSince: monotonicMs,
  };
}
