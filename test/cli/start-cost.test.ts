import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { makeFolder } from "./run-cli.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const coverage = mkdtempSync(join(tmpdir(), "qluster-loaded-"));
afterAll(() => rmSync(coverage, { recursive: true }));

/** The files that a command line makes Node load, as Node itself counts them. */
async function loadedBy(...args: string[]): Promise<string[]> {
  using folder = makeFolder();
  await folder.start(args, { NODE_V8_COVERAGE: coverage }).finished;
  const [report = ""] = readdirSync(coverage).map((name) => join(coverage, name));
  const { result } = JSON.parse(readFileSync(report, "utf8")) as { result: { url: string }[] };
  rmSync(report);
  const files = result.filter(({ url }) => url.startsWith("file:")).map(({ url }) => fileURLToPath(url));
  return files.map((file) =>
    file.includes("node_modules") ? file.replace(/^.*node_modules\//, "") : relative(root, file),
  );
}

// Not a clock: on a shared machine a process takes twice as long when somebody else builds. Files are what costs.
it.each([
  ["--help", []],
  ["info", ["--help"]],
] as const)("qluster %s %j loads a handful of files, so that help is there at once", async (first, rest) => {
  const files = await loadedBy(first, ...rest);

  expect(files.filter((file) => !file.startsWith("citty/")).toSorted()).toEqual([
    "dist/cli/commands.js",
    "dist/cli/find-command.js",
    "dist/cli/main.js",
    "dist/cli/run.js",
    "dist/cli/terminal.js",
    "dist/cli/usage.js",
    "dist/options/package-version.js",
  ]);
});
