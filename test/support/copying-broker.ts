import type { Backend } from "../../src/contracts/backend.js";
import type { Consumer, Receipt } from "../../src/contracts/broker.js";

/** A broker that keeps two copies of each message and hands out both, as a standard queue of SQS may. */
export function copyingBroker(one: Backend, two: Backend): Backend {
  return {
    ...one,
    broker: {
      ...one.broker,
      capabilities: { ...one.broker.capabilities, copies: true },
      async enqueue(queue, messages) {
        await one.broker.enqueue(queue, messages);
        await two.broker.enqueue(queue, messages);
      },
      consume: async (options) => both(await one.broker.consume(options), await two.broker.consume(options)),
    },
  };
}

function both(one: Consumer, two: Consumer): Consumer {
  const of = (receipts: readonly Receipt[], which: string): Receipt[] =>
    receipts.filter((receipt) => String(receipt).startsWith(which)).map((receipt) => Number(String(receipt).slice(2)));
  return {
    id: `${one.id} ${two.id}`,
    async take(options) {
      const taken = [];
      for (const [which, consumer] of [["1:", one] as const, ["2:", two] as const]) {
        const some = await consumer.take({ ...options, waitMs: 0, max: options.max - taken.length });
        taken.push(...some.map((delivery) => ({ ...delivery, receipt: `${which}${delivery.receipt}` })));
      }
      return taken.length > 0 || options.waitMs === 0 ? taken : await this.take({ ...options, waitMs: 0 });
    },
    async acknowledge(receipts) {
      return [...(await one.acknowledge(of(receipts, "1:"))), ...(await two.acknowledge(of(receipts, "2:")))];
    },
    async release(receipts, options) {
      await one.release(of(receipts, "1:"), options);
      await two.release(of(receipts, "2:"), options);
    },
    async renew(running) {
      await one.renew(running);
      await two.renew(running);
    },
    async close() {
      await one.close();
      await two.close();
    },
  };
}
