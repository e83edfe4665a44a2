import { defineConfig } from "vitest/config";

/** Tests that start built code: they wait for processes, and two at once would slow each other down. */
const oneAtATime = { maxWorkers: 1, fileParallelism: false, globalSetup: ["scripts/build.mjs"] };

/** Starts processes of its own, and takes too long for a check before each commit. */
const withProcesses = "test/conformance/sqlite-processes.test.ts";

/** Unit tests that need a process of their own. */
const apart = ["src/cli/**/*.test.ts", "src/backends/sqlite/**/*.test.ts"];

/** Every folder is a project, so that `vitest run --project kill` runs one of them. */
export default defineConfig({
  test: {
    projects: [
      // Files that share a process load everything once, which halves the time; these replace modules or globals.
      { test: { name: "unit", include: ["src/**/*.test.ts"], exclude: apart, isolate: false } },
      { test: { name: "apart", include: [...apart, "test/*.test.ts"], exclude: ["test/readme.test.ts"] } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], testTimeout: 20_000 } },
      project("cli", ["test/cli/**/*.test.ts"], 60_000, 1),
      project("cluster", ["test/cluster/**/*.test.ts", withProcesses], 60_000, 2),
      project("examples", ["test/examples/**/*.test.ts"], 180_000, 3),
      project("package", ["test/package/**/*.test.ts", "test/readme.test.ts"], 300_000, 4),
      transactions(),
      project("kill", ["test/kill/**/*.test.ts"], 600_000, 6),
    ],
  },
});

function project(name: string, include: string[], limitMs: number, groupOrder: number) {
  const limits = { testTimeout: limitMs, hookTimeout: limitMs };
  return { test: { name, include, ...limits, ...oneAtATime, sequence: { groupOrder } } };
}

/** Their libraries are installed apart; the set-up does it where they are missing. */
function transactions() {
  const { test } = project("transactions", ["test/transactions/**/*.test.ts"], 60_000, 5);
  return { test: { ...test, globalSetup: [...test.globalSetup, "scripts/transactions.mjs"] } };
}
