import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { openBackend as openMemory } from "../../src/backends/memory/index.js";
import { openBackend as openRedis } from "../../src/backends/redis/index.js";
import { openBackend as openSqlite } from "../../src/backends/sqlite/index.js";
import { brokerSuite, cacheSuite, flowSuite, manualClock, storeSuite, type Where } from "../../src/testing/index.js";
import { openPair, type OpenPart } from "../support/apart.js";
import { redisForTests } from "../support/redis.js";

const folder = mkdtempSync(join(tmpdir(), "qluster-apart-"));
const numbers = { durability: "process", blockMs: 50, retryMs: 5_000 } as const;
let server: Awaited<ReturnType<typeof redisForTests>>;

beforeAll(async () => {
  server = await redisForTests();
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const memory: OpenPart = ({ place, ...where }, clock) => openMemory({ ...where, ...numbers, location: place }, clock);

const sqlite: OpenPart = ({ place, ...where }, clock) =>
  openSqlite({ ...where, ...numbers, location: join(folder, `${place}.db`) }, clock);

// A place is a project of its own: its keys begin with its name.
const redis: OpenPart = ({ place, project, ...where }, clock) =>
  openRedis({ ...where, ...numbers, location: server.url, project: `${place} ${project}` }, clock);

/** Pairs of a store and a broker elsewhere. One line each; `shared`: other processes see both. */
const pairs: readonly (readonly [name: string, store: OpenPart, broker: OpenPart, shared: boolean])[] = [
  ["a store in memory, a broker in memory", memory, memory, false],
  ["a store in SQLite, a broker in another file", sqlite, sqlite, true],
  ["a store in SQLite, a broker in memory", sqlite, memory, false],
  ["a store in SQLite, a broker in Redis", sqlite, redis, true],
];

describe.each(pairs)("%s", (_, store, broker, shared) => {
  const clock = manualClock();
  const open = (where: Where) => openPair({ store, broker }, where, clock);

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
  flowSuite({ describe, it, clock, open });
  cacheSuite({ describe, it, clock, open });
});
