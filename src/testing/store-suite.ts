import { cancelPromises } from "./store/cancel.js";
import { clusterPromises } from "./store/clusters.js";
import { endurancePromises } from "./store/endurance.js";
import { finishPromises } from "./store/finish.js";
import { groupPromises } from "./store/groups.js";
import { lostPromises } from "./store/lost.js";
import { numberPromises } from "./store/numbers.js";
import { placePromises } from "./store/places.js";
import { readingPromises } from "./store/reading.js";
import { retentionPromises } from "./store/retention.js";
import { retryPromises } from "./store/retries.js";
import { savedPromises } from "./store/saved.js";
import { submitPromises } from "./store/submit.js";
import { uniquePromises } from "./store/unique.js";
import type { Suite } from "./suite.js";

/** The promises every store keeps that is a broker too (`capabilities.atomic`). Works with any runner that has `describe` and `it`. */
export function storeSuite(suite: Suite): void {
  suite.describe("store", () => {
    submitPromises(suite);
    uniquePromises(suite);
    finishPromises(suite);
    retryPromises(suite);
    lostPromises(suite);
    cancelPromises(suite);
    savedPromises(suite);
    readingPromises(suite);
    groupPromises(suite);
    clusterPromises(suite);
    numberPromises(suite);
    retentionPromises(suite);
    placePromises(suite);
    endurancePromises(suite);
  });
}
