import { describe, it } from "vitest";
import { openBackend } from "../../src/backends/memory/index.js";
import type { BackendOptions } from "../../src/contracts/backend.js";
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

describe("memory", () => {
  const clock = manualClock();
  const open = ({ place, ...where }: Where & Pick<BackendOptions, "outbox">) =>
    openBackend({ ...where, location: place, durability: "process", blockMs: 50, retryMs: 1_000 }, clock);

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
      shared: false,
    },
  });
  storeSuite({ describe, it, clock, open });
  outboxSuite({ describe, it, clock, open });
  scheduleSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
  flowSuite({ describe, it, clock, open });
  schemaSuite({ describe, it, clock, open, tables: false });
});
