import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { openBackend as openRedis } from "../../src/backends/redis/index.js";
import { openBackend as openSqlite } from "../../src/backends/sqlite/index.js";
import type { OpenPart } from "../support/apart.js";
import { pairSuites } from "../support/pair-suites.js";
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

const sqlite: OpenPart = ({ place, ...where }, clock) =>
  openSqlite({ ...where, ...numbers, location: join(folder, `${place}.db`) }, clock);

// A place is a project of its own: its keys begin with its name.
const redis: OpenPart = ({ place, project, ...where }, clock) =>
  openRedis({ ...where, ...numbers, location: server.url, project: `${place} ${project}` }, clock);

// One line for each pair of a store and a broker elsewhere.
pairSuites([
  ["a store in SQLite, a broker in Redis", sqlite, redis, true],
  ["a store in Redis, a broker in another project of it", redis, redis, true, 128],
  ["a store in Redis, a broker in SQLite", redis, sqlite, true, 128],
]);
