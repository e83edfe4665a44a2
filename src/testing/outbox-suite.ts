import { beginPromises } from "./outbox/begin.js";
import { returnPromises } from "./outbox/return.js";
import { sendPromises } from "./outbox/send.js";
import type { OutboxSuite } from "./outbox/open.js";

/**
 * The promises of a store that a broker elsewhere can carry the tasks of (`BackendOptions.outbox`), beside those of
 * `storeSuite`. Works with any runner that has `describe` and `it`.
 *
 * @example
 * describe("my store", () => outboxSuite({ describe, it, clock, open }));
 */
export function outboxSuite(suite: OutboxSuite): void {
  suite.describe("outbox", () => {
    sendPromises(suite);
    beginPromises(suite);
    returnPromises(suite);
  });
}
