import { report, runStep, tool } from "./steps.mjs";
import { build } from "./build.mjs";

/** Checks that read the code without running it. Formatting comes first: it fails fastest. */
const checks = [
  { name: "format", command: tool("oxfmt", ["--check"]) },
  { name: "lint", command: tool("oxlint", ["--quiet"]) },
  { name: "types of tests and examples", command: tool("tsc", ["-p", "tsconfig.test.json"]) },
  {
    name: "unused files and packages",
    command: tool("knip", ["--include", "files,dependencies,unlisted,unresolved", "--no-config-hints"]),
  },
];

/**
 * Builds, which checks the types of src, then runs every check, also after one that failed: tests and examples are
 * checked against the built types.
 *
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runChecks() {
  const answers = [buildStep()];
  for (const check of checks) answers.push(await runStep(check));
  const passed = answers.filter(Boolean).length;
  return { passed, failed: answers.length - passed };
}

function buildStep() {
  const started = performance.now();
  let ok = true;
  try {
    build();
  } catch {
    ok = false; // tsc has printed why
  }
  report("build", ok, performance.now() - started);
  return ok;
}
