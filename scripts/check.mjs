// What to run before each commit: format, lint, types, unit tests, conformance of the embedded backends. Under a minute.
import { runChecks } from "./checks.mjs";
import { add, runTests } from "./tally.mjs";

const started = performance.now();
const checks = await runChecks();
const tests = await runTests({ name: "unit tests, embedded conformance", projects: ["unit", "apart", "conformance"] });
const { failed, skipped } = add(checks, tests);

console.log(`\n${tests.passed} tests passed in ${((performance.now() - started) / 1000).toFixed(0)} s`);
if (failed > 0) console.log(`${failed} failed; see above. \`npm run fix\` mends format and what the linter can.`);
if (failed > 0 || skipped > 0) process.exitCode = 1;
