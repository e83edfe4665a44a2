import type { Broker, BrokerCapabilities, ConsumeOptions } from "../../contracts/broker.js";
import { ApartConsumer } from "./consumer.js";
import type { ApartContext } from "./context.js";

/** A broker whose messages are ids of tasks in a store elsewhere. Sizes and lists are the store's: it has the truth. */
export function apartBroker(context: ApartContext): Broker {
  const { broker, courier } = context;
  const own = context.store.broker;
  return {
    capabilities: capabilities(broker.capabilities, own.capabilities),

    async enqueue(queue, messages) {
      await own.enqueue(queue, messages);
      await courier.send(messages.map(({ id, priority, delayMs }) => ({ id, queue, priority, delayMs })));
    },

    consume: (options) => consume(context, options),
    queueSize: (queue) => own.queueSize(queue),
    lockSize: (queue) => own.lockSize(queue),
    list: (queue, page) => own.list(queue, page),

    // The broker first: of what is sent in between, a message without a task is left at most, and never the other way round.
    async purge(queue) {
      await broker.purge(queue);
      return await own.purge(queue);
    },
    async deleteQueue(queue) {
      await broker.deleteQueue(queue);
      return await own.deleteQueue(queue);
    },

    async ping() {
      const [there, here] = await Promise.all([broker.ping(), own.ping()]);
      return Math.max(there, here);
    },
    async info() {
      const [there, here] = await Promise.all([broker.info(), own.info()]);
      return `${there}; tasks in ${here}`;
    },
  };
}

async function consume(context: ApartContext, options: ConsumeOptions): Promise<ApartConsumer> {
  // The store's lease starts first, so that it never outlives the broker's: what the broker hands out again may begin.
  const hold = await context.outbox.hold(options);
  try {
    return new ApartConsumer(context, options, hold, await context.broker.consume(options));
  } catch (error) {
    await hold.close().catch(() => {});
    throw error;
  }
}

function capabilities(there: BrokerCapabilities, here: BrokerCapabilities): BrokerCapabilities {
  return {
    copies: false,
    priority: there.priority,
    maxDelayMs: here.maxDelayMs,
    // Envelopes stay in the store.
    maxBytes: here.maxBytes,
    list: here.list,
    push: there.push,
    shared: there.shared && here.shared,
  };
}
