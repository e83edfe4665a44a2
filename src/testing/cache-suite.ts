import { entryPromises } from "./cache/entries.js";
import { setPromises } from "./cache/sets.js";
import type { Suite } from "./suite.js";

/** The promises every cache keeps. Works with any runner that has `describe` and `it`. */
export function cacheSuite(suite: Suite): void {
  suite.describe("cache", () => {
    entryPromises(suite);
    setPromises(suite);
  });
}
