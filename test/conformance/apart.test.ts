import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { openBackend as openMemory } from "../../src/backends/memory/index.js";
import { openBackend as openSqlite } from "../../src/backends/sqlite/index.js";
import type { OpenPart } from "../support/apart.js";
import { pairSuites } from "../support/pair-suites.js";

const folder = mkdtempSync(join(tmpdir(), "qluster-apart-"));
const numbers = { durability: "process", blockMs: 50, retryMs: 5_000 } as const;

afterAll(() => rmSync(folder, { recursive: true }));

const memory: OpenPart = ({ place, ...where }, clock) => openMemory({ ...where, ...numbers, location: place }, clock);

const sqlite: OpenPart = ({ place, ...where }, clock) =>
  openSqlite({ ...where, ...numbers, location: join(folder, `${place}.db`) }, clock);

// One line for each pair of a store and a broker elsewhere.
pairSuites([
  ["a store in memory, a broker in memory", memory, memory, false],
  ["a store in SQLite, a broker in another file", sqlite, sqlite, true],
  ["a store in SQLite, a broker in memory", sqlite, memory, false],
]);
