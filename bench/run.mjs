// Measures Qluster and its peers in one run, side by side. `npm run bench`; README.md beside this file has the flags.
// Prints Markdown; a whole run also writes results.json and the README's table. Only ratios of one run say something:
// machines differ, and so do hours.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { secondNode } from "../scripts/second-node.mjs";
import { casesOf, measureNames, roundsOf } from "./lib/measures.mjs";
import { markdown } from "./lib/report.mjs";
import { alone, bestSettings, pair } from "./lib/rounds.mjs";
import { stores } from "./lib/stores.mjs";
import { systems } from "./lib/systems.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const list = { type: "string", multiple: true };
const { values: flags } = parseArgs({
  options: {
    systems: list,
    measures: list,
    stores: list,
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
    publish: { type: "boolean", default: false },
  },
});
const scale = flags.smoke ? "smoke" : flags.quick ? "quick" : "full";
const rounds = flags.rounds === undefined ? { smoke: 1, quick: 3, full: 7 }[scale] : Number(flags.rounds);
const chosen = {
  systems: names("systems", Object.keys(systems)),
  measures: names("measures", measureNames),
  stores: names("stores", Object.keys(stores)),
};
/** Pairs run where all of them can: some peers refuse Node 20. */
const pairNode = join(await secondNode(24), "node");
const isOtherNode = Number(process.versions.node.split(".")[0]) !== 24;

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
installPeers();
const results = {};
for (const store of chosen.stores.filter(hasSystems)) results[store] = await measureStore(store);
console.log(`\n${markdown(results)}`);
if (Object.values(results).some(({ failed }) => failed.length > 0)) process.exit(1);
const isWhole = flags.systems === undefined && flags.measures === undefined;
if (scale === "full" && (isWhole || flags.publish)) publish();

/** The names that a flag lists, apart by commas or given again; all of them without the flag. */
function names(flag, known) {
  const given = flags[flag]?.flatMap((text) => text.split(",")) ?? known;
  const stranger = given.find((name) => !known.includes(name));
  if (stranger === undefined) return given;
  console.error(`--${flag} ${stranger}: expected ${known.join(", ")}. Leave the flag out for all of them.`);
  process.exit(2);
}

/** A database is measured when somebody who was asked for lives on it, besides Qluster, which lives on all of them. */
function hasSystems(store) {
  const present = chosen.systems.filter((name) => systems[name].stores.includes(store));
  return present.some((name) => name !== "qluster") || (chosen.systems.length === 1 && present.length === 1);
}

async function measureStore(name) {
  const store = await stores[name]();
  say(store.setting);
  try {
    const now = new Date().toISOString();
    const found = { setting: store.setting, measured: now, cpu: cpu(), rounds, rows: [], failed: [], settings: {} };
    for (const measure of chosen.measures) {
      if (isElsewhere(name, measure)) continue;
      for (const one of casesOf(measure, scale)) await measureCase(name, store, measure, one, found);
    }
    return found;
  } finally {
    await store.close();
  }
}

/** What does not depend on the database, or on its log, is measured on one of them. */
function isElsewhere(store, measure) {
  if (measure === "flat") return store !== "sqlite";
  return store === "redis-aof" && ["schedule", "composition", "recovery", "start", "idle"].includes(measure);
}

async function measureCase(name, store, measure, one, found) {
  const present = chosen.systems.filter((system) => systems[system].stores.includes(name));
  const [first, ...rest] = [...present].sort((a, b) => Number(b === "qluster") - Number(a === "qluster"));
  const others = rest.filter((system) => one.against(system, name));
  const on = { store, settings: found.settings };
  const times = roundsOf(measure, rounds);
  for (const other of others) {
    const both = [first, other];
    for (const node of nodesOfPairs(name)) {
      await row(found, node, one, both, async () => {
        for (const system of both) await tune(system, one, { ...on, node }, found);
        return await pair(both, one, { ...on, node }, times, say);
      });
    }
  }
  // Isolation has a measure of its own only beside a peer.
  if (first !== "qluster" || (others.length === 0 && one.own !== undefined)) return;
  for (const node of nodesAlone(name, measure, one, others.length > 0))
    await row(found, node, one, ["qluster"], () => alone("qluster", one, { ...on, node }, times, say));
}

/** The peers on servers refuse Node 20. */
function nodesOfPairs(store) {
  return store === "sqlite" && isOtherNode ? [process.execPath, pairNode] : [pairNode];
}

/** Where Qluster runs without a peer: what has no counterpart, what limits are set for, and the Node.js in use. */
function nodesAlone(store, measure, { label }, isPaired) {
  const hasLimit = label.startsWith("enqueue, 64") || measure === "recovery";
  const nodes = !isPaired || (hasLimit && store !== "sqlite") ? [pairNode] : [];
  const isCovered = measure === "recovery" || (isPaired && store === "sqlite");
  return isOtherNode && !isCovered ? [...nodes, process.execPath] : nodes;
}

/** One that fails does not take the others with it. */
async function row(found, node, { label }, systemNames, work) {
  try {
    found.rows.push({ node: majorOf(node), label, names: systemNames, figures: await work() });
  } catch (error) {
    say(`  FAILED: ${label}, ${systemNames.join(" and ")}: ${error.message}`);
    found.failed.push(`${label}, ${systemNames.join(" and ")}`);
  }
}

/** A peer runs at its best: with the settings that are fastest here, looked for once for each verb. */
async function tune(system, one, on, found) {
  if (systems[system].peer !== true || found.settings[system]?.[one.verb] !== undefined) return;
  const best = await bestSettings(system, one, on, scale === "full" ? 3 : 1, say);
  if (Object.keys(best).length > 0) (found.settings[system] ??= {})[one.verb] = best;
}

/**
 * What a look measured is not for others, nor is a part, unless `--publish` says so: it takes the place of what was known of
 * the same databases. What was measured on another database earlier stays.
 */
function publish() {
  const file = join(here, "results.json");
  const earlier = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const known = Object.fromEntries(Object.keys(stores).flatMap((name) => entry(name, results[name] ?? earlier[name])));
  writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
  const readme = join(here, "..", "README.md");
  const between = /(<!-- bench:start -->\n)[\s\S]*(\n<!-- bench:end -->)/;
  const tables = markdown(known);
  const filled = readFileSync(readme, "utf8").replace(between, (_, start, end) => `${start}\n${tables}\n${end}`);
  writeFileSync(readme, filled);
  execFileSync(join(here, "..", "node_modules", ".bin", "oxfmt"), [file, readme], { stdio: "ignore" });
}

function entry(name, value) {
  return value === undefined ? [] : [[name, value]];
}

/** One of plainjob's drivers is compiled on Node 20, which takes two minutes, python3, make and g++. */
function installPeers() {
  const folder = join(here, "peers");
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (Object.keys(dependencies).every((name) => existsSync(join(folder, "node_modules", name)))) return;
  say("Installing what Qluster is measured against; compiling takes about two minutes");
  const quiet = ["--no-audit", "--no-fund"];
  try {
    execFileSync("npm", ["ci", ...quiet, "--loglevel=silent"], { cwd: folder, stdio: "inherit" });
  } catch {
    // A lock file that was written on one platform may lack the binaries of another.
    execFileSync("npm", ["install", "--no-save", ...quiet, "--loglevel=error"], { cwd: folder, stdio: "inherit" });
  }
}

function cpu() {
  return `${cpus().length} × ${cpus()[0]?.model}`;
}

function majorOf(node) {
  return execFileSync(node, ["--version"]).toString().slice(1).split(".")[0];
}

function say(line) {
  console.error(line);
}
