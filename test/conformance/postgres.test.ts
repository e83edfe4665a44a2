import { describe, it } from "vitest";
import type { BackendOptions } from "../../src/contracts/index.js";
import {
  brokerSuite,
  cacheSuite,
  flowSuite,
  manualClock,
  outboxSuite,
  scheduleSuite,
  schemaSuite,
  storeSuite,
  type Where,
} from "../../src/testing/index.js";
import { emptyPlace, openAt, schemaFor } from "../support/postgres.js";

describe("postgres", () => {
  const clock = manualClock();
  const open = ({ place, ...where }: Where & Pick<BackendOptions, "outbox">) =>
    openAt(emptyPlace({ schema: schemaFor(place) }), where, clock);

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
  outboxSuite({ describe, it, clock, open });
  scheduleSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
  flowSuite({ describe, it, clock, open });
  schemaSuite({ describe, it, clock, open, tables: true });
});
