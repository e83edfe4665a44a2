import { batchPromises } from "./flow/batches.js";
import { chainPromises } from "./flow/chains.js";
import { endPromises } from "./flow/ends.js";
import { iterPromises } from "./flow/iterables.js";
import { resumePromises } from "./flow/resume.js";
import { scheduledFlowPromises } from "./flow/scheduled.js";
import type { Suite } from "./suite.js";

/** The promises of every store that keeps flows ({@link Store.flows}). Works with any runner that has `describe` and `it`. */
export function flowSuite(suite: Suite): void {
  suite.describe("flows", () => {
    chainPromises(suite);
    iterPromises(suite);
    batchPromises(suite);
    endPromises(suite);
    resumePromises(suite);
    scheduledFlowPromises(suite);
  });
}
