import type { Broker, BrokerCapabilities, ConsumeOptions } from "../../contracts/broker.js";
import { ApartConsumer } from "./consumer.js";
import type { ApartContext } from "./context.js";

/**
 * Brokers whose messages are ids of tasks in a store elsewhere, and the store for the queues that none of them carries. Sizes
 * and lists are the store's: it has the truth.
 */
export function apartBroker(context: ApartContext): Broker {
  const { routes, courier } = context;
  const { brokers } = routes;
  const own = context.store.broker;
  return {
    capabilities: brokers.map(({ capabilities }) => capabilities).reduce(both, own.capabilities),

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
      await routes.of(queue)?.purge(queue);
      return await own.purge(queue);
    },
    async deleteQueue(queue) {
      await routes.of(queue)?.deleteQueue(queue);
      return await own.deleteQueue(queue);
    },

    async ping() {
      return Math.max(...(await Promise.all([own, ...brokers].map((each) => each.ping()))));
    },
    info: () => info(context),
  };
}

async function info({ routes, store }: ApartContext): Promise<string> {
  const here = await store.broker.info();
  if (routes.apart.length > 0) return `${here}; in slots of their own: ${routes.apart.join(", ")}`;
  const there = await Promise.all(routes.brokers.map((broker) => broker.info()));
  return `${there.join(", ")}; tasks in ${here}`;
}

async function consume(context: ApartContext, options: ConsumeOptions): Promise<ApartConsumer> {
  // The store's lease starts first, so that it never outlives the broker's: what the broker hands out again may begin.
  const hold = await context.outbox.hold(options);
  try {
    return await ApartConsumer.open(context, options, hold);
  } catch (error) {
    await hold.close().catch(() => {});
    throw error;
  }
}

/** Envelopes and long delays stay in the store. */
function both(here: BrokerCapabilities, there: BrokerCapabilities): BrokerCapabilities {
  return {
    ...here,
    copies: false,
    priority: there.priority && here.priority,
    push: there.push && here.push,
    shared: there.shared && here.shared,
  };
}
