import { defineConfig } from "vitest/config";

/** Tests that start built code. They mostly wait for processes, so two files share the machine; more would crowd it. */
const twoAtATime = { maxWorkers: 2, globalSetup: ["scripts/build.mjs"] };

/** For what holds a whole machine against a clock: nothing runs beside it. */
const alone = { maxWorkers: 1, fileParallelism: false };

/** Unit tests that need a process of their own. */
const apart = ["src/cli/**/*.test.ts", "src/backends/sqlite/**/*.test.ts"];

/** For tests that only compute. Some try thousands of cases, and a busy machine is no fault of theirs. */
const testTimeout = 30_000;

/** Every folder is a project, so that `vitest run --project kill` runs one of them. */
export default defineConfig({
  test: {
    // What only computes may have the whole machine; the default leaves one processor idle.
    maxWorkers: "100%",
    projects: [
      // Files that share a process load everything once, which halves the time; these replace modules or globals.
      { test: { name: "unit", include: ["src/**/*.test.ts"], exclude: apart, isolate: false, testTimeout } },
      { test: { name: "apart", include: [...apart, "test/*.test.ts"], exclude: ["test/readme.test.ts"], testTimeout } },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          exclude: ["test/conformance/{postgres,redis,apart}*.test.ts"],
          testTimeout: 20_000,
        },
      },
      // Every promise again for pairs of backends: too long for a check before each commit.
      { test: { name: "conformance-apart", include: ["test/conformance/apart*.test.ts"], testTimeout: 20_000 } },
      {
        test: {
          name: "conformance-postgres",
          include: ["test/conformance/postgres*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          globalSetup: ["test/support/postgres.setup.ts"],
        },
      },
      {
        test: {
          name: "conformance-redis",
          include: ["test/conformance/redis*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      project("cli", ["test/cli/**/*.test.ts"], 120_000, 1),
      project("cluster", ["test/cluster/**/*.test.ts"], 120_000, 2),
      onPostgres("cluster-postgres", ["test/cluster/**/*.test.ts"], 120_000, 6),
      onRedis("cluster-redis", ["test/cluster/**/*.test.ts"], 120_000, 8),
      project("examples", ["test/examples/**/*.test.ts"], 180_000, 3),
      project("package", ["test/package/**/*.test.ts", "test/readme.test.ts"], 300_000, 4),
      project("kill", ["test/kill/**/*.test.ts"], 600_000, 5),
      onPostgres("kill-postgres", ["test/kill/**/*.test.ts"], 600_000, 7),
      onRedis("kill-redis", ["test/kill/**/*.test.ts"], 600_000, 9),
      pace(project, "pace", 10),
      pace(onPostgres, "pace-postgres", 11),
      pace(onRedis, "pace-redis", 12),
      transactions(),
    ],
  },
});

function project(name: string, include: string[], limitMs: number, groupOrder: number) {
  const limits = { testTimeout: limitMs, hookTimeout: limitMs };
  const exclude = ["test/**/*.{postgres,redis,servers}.test.ts"];
  return { test: { name, include, exclude, ...limits, ...twoAtATime, sequence: { groupOrder } } };
}

/** The same tests on a server, but for those about the file; and those about the server. */
function onPostgres(name: string, include: string[], limitMs: number, groupOrder: number) {
  const { test } = project(name, include, limitMs, groupOrder);
  const globalSetup = [...test.globalSetup, "test/support/postgres.setup.ts"];
  return { test: { ...test, exclude: ["test/**/*.{sqlite,redis}.test.ts"], globalSetup } };
}

/** The same, but for those about tables. */
function onRedis(name: string, include: string[], limitMs: number, groupOrder: number) {
  const { test } = project(name, include, limitMs, groupOrder);
  const exclude = ["test/**/*.{sqlite,postgres,tables}.test.ts"];
  return { test: { ...test, exclude, globalSetup: [...test.globalSetup, "test/support/redis.setup.ts"] } };
}

/** How fast things go: these must not run beside others. */
function pace(of: typeof project, name: string, groupOrder: number) {
  const { test } = of(name, ["test/pace/**/*.test.ts"], 120_000, groupOrder);
  return { test: { ...test, ...alone } };
}

/** Their libraries are installed apart; the set-up does it where they are missing. */
function transactions() {
  const { test } = onPostgres("transactions", ["test/transactions/*.test.ts"], 60_000, 8);
  return { test: { ...test, exclude: [], globalSetup: [...test.globalSetup, "scripts/transactions.mjs"] } };
}
