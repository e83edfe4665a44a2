import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { libsqlDriver, nodeDriver } from "../../src/backends/sqlite/driver.js";
import { openSqlite } from "../../src/backends/sqlite/index.js";
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

// A Node that has SQLite of its own runs the suites on both drivers; files are the same for both.
const drivers = [nodeDriver(), await libsqlDriver()].filter((driver) => driver !== undefined);

describe.each(drivers)("sqlite by $name", (driver) => {
  const folder = mkdtempSync(join(tmpdir(), "qluster-conformance-"));
  const clock = manualClock();
  const open = ({ place, ...where }: Where & Pick<BackendOptions, "outbox">) =>
    openSqlite(
      { ...where, location: join(folder, `${place}.db`), durability: "process", blockMs: 50, retryMs: 5_000 },
      driver,
      clock,
    );

  afterAll(() => rmSync(folder, { recursive: true }));

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
