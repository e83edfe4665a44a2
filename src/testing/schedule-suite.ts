import { changePromises } from "./schedules/changes.js";
import { duePromises } from "./schedules/due.js";
import { findingPromises } from "./schedules/finding.js";
import { runPromises } from "./schedules/runs.js";
import type { Suite } from "./suite.js";

/**
 * The promises every store keeps about schedules (P183, P184, P204, P217, P221, P222, P227). Works with any runner that
 * has `describe` and `it`.
 */
export function scheduleSuite(suite: Suite): void {
  suite.describe("schedules", () => {
    findingPromises(suite);
    changePromises(suite);
    duePromises(suite);
    runPromises(suite);
  });
}
