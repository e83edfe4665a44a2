// Measures Qluster, plainjob and a bare SQLite loop in one run, side by side. `npm run bench`; `-- --quick` for a look.
// Prints Markdown; a whole run also writes results.json and the README's table. Only ratios of one run say something: machines differ, and so do hours.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { secondNode } from "../scripts/second-node.mjs";
import { measure } from "./lib/processes.mjs";
import { markdown } from "./lib/report.mjs";
import { median, summary } from "./lib/statistics.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const qluster = join(here, "systems", "qluster.mjs");
const bare = join(here, "systems", "bare.mjs");
const plainjob = join(here, "peers", "plainjob.mjs");

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
    node: { type: "string", multiple: true },
  },
});
const rounds = flags.rounds === undefined ? (flags.quick ? 3 : 7) : Number(flags.rounds);
const size = flags.quick
  ? { drain: [3_000], bulk: 5_000, single: 1_000, samples: 40, idle: 5, flat: 20_000 }
  : { drain: [10_000, 30_000], bulk: 20_000, single: 5_000, samples: 300, idle: 20, flat: 200_000 };

installPeers();
const results = {
  measured: new Date().toISOString(),
  cpu: `${cpus().length} × ${cpus()[0]?.model}`,
  rounds,
  nodes: [],
};
for (const node of await nodes()) results.nodes.push(await measureOn(node));

const tables = markdown(results);
console.log(`\n${tables}`);
if (!flags.quick && flags.only === undefined && flags.node === undefined) publish();

/** What a look or a part measured is not for others. */
function publish() {
  writeFileSync(join(here, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  const readme = join(here, "..", "README.md");
  const between = /(<!-- bench:start -->\n)[\s\S]*(\n<!-- bench:end -->)/;
  const filled = readFileSync(readme, "utf8").replace(between, (_, start, end) => `${start}\n${tables}\n${end}`);
  writeFileSync(readme, filled);
}

/** plainjob's driver is compiled on Node 20, which takes two minutes, python3, make and g++. */
function installPeers() {
  const folder = join(here, "peers");
  if (existsSync(join(folder, "node_modules", "plainjob"))) return;
  say("Installing what Qluster is measured against; compiling takes about two minutes");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder, stdio: "inherit" });
}

/** The Node.js in use, on libsql where it is 20; and Node 24, on its own SQLite. */
async function nodes() {
  const second = join(await secondNode(24), "node");
  const all = [process.execPath, second];
  return flags.node === undefined ? all : all.filter((_, index) => flags.node.includes(["own", "24"][index]));
}

async function measureOn(node) {
  const version = execFileSync(node, ["--version"]).toString().trim();
  const driver = Number(version.slice(1).split(".")[0]) < 22 ? "libsql" : "node:sqlite";
  const on = { version, driver, drain: [], enqueue: [] };
  say(`Node ${version} with ${driver}`);

  if (wanted("drain")) for (const tasks of size.drain) on.drain.push(await measureDrain(node, tasks));
  if (wanted("enqueue")) on.enqueue = await measureEnqueue(node);
  if (wanted("start")) on.start = await repeated(node, "start", {}, "ms");
  if (wanted("latency")) on.latency = await measure(node, qluster, ["latency", { samples: size.samples }]);
  if (wanted("idle")) on.idle = await measure(node, qluster, ["idle", { seconds: size.idle }]);
  if (wanted("flat")) on.flat = { tasks: size.flat, ...(await measure(node, qluster, ["flat", { tasks: size.flat }])) };
  return on;
}

function wanted(part) {
  return flags.only === undefined || flags.only.includes(part);
}

async function measureDrain(node, tasks) {
  const systems = {
    qluster: [qluster, "drain", { tasks }],
    plainjob: [plainjob, "drain", { tasks }],
    plainjobProcesses: [plainjob, "drainProcesses", { tasks, workers: 2 }],
    bare: [bare, "drain", { tasks }],
  };
  return { tasks, ...(await sideBySide(node, `drain of ${tasks}`, systems, tasks)) };
}

async function measureEnqueue(node) {
  const kinds = [
    { kind: "bulk", ours: "bulk", theirs: "bulk", tasks: size.bulk },
    { kind: "one by one", ours: "single", theirs: "single", tasks: size.single },
    { kind: "64 at once", ours: "concurrent", theirs: "single", tasks: size.single },
  ];
  const measured = [];
  for (const { kind, ours, theirs, tasks } of kinds) {
    const systems = { qluster: [qluster, ours, { tasks }], plainjob: [plainjob, theirs, { tasks }] };
    measured.push({ kind, tasks, ...(await sideBySide(node, `enqueue, ${kind}`, systems, tasks)) });
  }
  return measured;
}

/** Every system once a round, in turning order; ratios are taken within a round. */
async function sideBySide(node, name, systems, tasks) {
  const names = Object.keys(systems);
  const rates = Object.fromEntries(names.map((one) => [one, []]));
  for (let round = 0; round < rounds; round += 1) {
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const one of order) {
      const [script, verb, options] = systems[one];
      const { ms } = await measure(node, script, [verb, options]);
      rates[one].push((tasks / ms) * 1_000);
    }
    say(`  ${name}, round ${round + 1}: ${names.map((one) => `${one} ${rates[one].at(-1).toFixed(0)}/s`).join(", ")}`);
  }
  const others = names.filter((one) => one !== "qluster");
  const ratio = (one) => median(rates.qluster.map((rate, round) => rate / rates[one][round]));
  return {
    rates: Object.fromEntries(names.map((one) => [one, summary(rates[one])])),
    ratios: Object.fromEntries(others.map((one) => [one, ratio(one)])),
  };
}

async function repeated(node, verb, options, field) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) found.push((await measure(node, qluster, [verb, options]))[field]);
  return summary(found);
}

function say(line) {
  console.error(line);
}
