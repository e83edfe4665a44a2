// Runs Vitest and counts from its JSON report.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runStep, tool } from "./steps.mjs";

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Tally
 */

/** @returns {Tally} */
export function add(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: (a.skipped ?? 0) + (b.skipped ?? 0) };
}

/**
 * Runs one stage of the tests.
 *
 * @param {{ name: string, projects: readonly string[], live?: boolean, bin?: string }} stage - `bin`: the folder of
 *   another Node.js to run it on.
 * @returns {Promise<Tally>}
 */
export async function runTests({ name, projects, live = false, bin }) {
  const folder = mkdtempSync(join(tmpdir(), "qluster-tests-"));
  const file = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const args = ["run", ...projects.flatMap((project) => ["--project", project]), ...reporters];
  try {
    const node = bin === undefined ? process.execPath : join(bin, "node");
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` };
    const ok = await runStep({ name, command: tool("vitest", args, node), live, env });
    return countOf(file, ok);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not be loaded, or an error outside of every test, counts as one failure: it must not pass in silence. */
function countOf(file, ok) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = JSON.parse(readFileSync(file, "utf8"));
  const broken = report.testResults.filter((result) => result.status === "failed" && noneFailed(result)).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function noneFailed(result) {
  return !result.assertionResults.some((test) => test.status === "failed");
}
