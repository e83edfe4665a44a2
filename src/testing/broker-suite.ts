import { endingPromises } from "./broker/endings.js";
import { enqueuePromises } from "./broker/enqueue.js";
import { leasePromises } from "./broker/leases.js";
import { orderPromises } from "./broker/order.js";
import { queuePromises } from "./broker/queues.js";
import { takePromises } from "./broker/take.js";
import type { BrokerSuite } from "./suite.js";

/**
 * The promises every broker keeps (P247). Works with any runner that has `describe` and `it`.
 *
 * @example
 * describe("my broker", () => brokerSuite({ describe, it, clock, open, capabilities }));
 */
export function brokerSuite(suite: BrokerSuite): void {
  suite.describe("broker", () => {
    enqueuePromises(suite);
    orderPromises(suite);
    takePromises(suite);
    endingPromises(suite);
    leasePromises(suite);
    queuePromises(suite);
  });
}
