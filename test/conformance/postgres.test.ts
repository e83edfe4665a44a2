import { createHash } from "node:crypto";
import { describe, it } from "vitest";
import { brokerSuite, cacheSuite, manualClock, schemaSuite, storeSuite, type Where } from "../../src/testing/index.js";
import { emptyPlace, openAt } from "../support/postgres.js";

describe("postgres", () => {
  const clock = manualClock();
  const open = ({ place, project, migrate }: Where) => {
    const schema = `test_${createHash("sha256").update(place).digest("hex").slice(0, 24)}`;
    return openAt(emptyPlace({ schema }), { project, migrate }, clock);
  };

  brokerSuite({
    describe,
    it,
    clock,
    open,
    capabilities: {
      copies: false,
      priority: true,
      maxDelayMs: Number.MAX_SAFE_INTEGER,
      maxBytes: 256 * 1024 * 1024,
      list: true,
      push: true,
      shared: true,
    },
  });
  storeSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
  schemaSuite({ describe, it, clock, open, tables: true });
});
