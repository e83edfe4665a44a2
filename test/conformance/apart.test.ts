import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { openBackend as openMemory } from "../../src/backends/memory/index.js";
import { openBackend as openSqlite } from "../../src/backends/sqlite/index.js";
import { brokerSuite, cacheSuite, manualClock, storeSuite, type Where } from "../../src/testing/index.js";
import { openPair, type Pair } from "../support/apart.js";

/** Pairs of a store and a broker elsewhere. One line each. */
const pairs: readonly (readonly [name: string, pair: Pair, shared: boolean])[] = [
  ["a store in memory, a broker in memory", { store: openMemory, broker: openMemory }, false],
  ["a store in SQLite, a broker in another file", { store: openSqlite, broker: openSqlite }, true],
  ["a store in SQLite, a broker in memory", { store: openSqlite, broker: openMemory }, false],
];

describe.each(pairs)("%s", (_, pair, shared) => {
  const folder = mkdtempSync(join(tmpdir(), "qluster-apart-"));
  const clock = manualClock();
  const open = ({ place, project, migrate }: Where) => {
    const options = { project, migrate, durability: "process", blockMs: 50, retryMs: 5_000 } as const;
    const storeAt = join(folder, `${place}-store.db`);
    return openPair(pair, { ...options, storeAt, brokerAt: join(folder, `${place}-broker.db`) }, clock);
  };

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
      shared,
    },
  });
  storeSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
});
