import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, onTestFinished } from "vitest";
import { nodeDriver } from "../../src/backends/sqlite/driver.js";
import { openBackend } from "../../src/backends/sqlite/index.js";
import { claimByFour } from "../support/claimers.js";

// Where Node has SQLite of its own, it shares the file with libsql.
const drivers = nodeDriver() === undefined ? ["libsql", "libsql"] : ["node", "libsql"];

it("hands 20,000 tasks to four processes, each once, and no process ever fails on a locked database (P257)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qluster-processes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const location = join(folder, "shop.db");
  const options = { project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 20_000 } as const;
  await using backend = await openBackend({ ...options, location });

  await claimByFour(backend, location, [...drivers, ...drivers]);
}, 120_000);
