import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { qlusterOf } from "../../client/create-qluster.js";
import type { Cluster } from "../../cluster/index.js";
import { openLogger } from "../../cluster/logger.js";
import { createCluster } from "../../cluster/supervisor.js";
import { resolveConfig } from "../../options/resolve.js";
import type { ResolvedConfig } from "../../options/resolved.js";
import type { CommandContext } from "../command.js";
import { demoGroup, demoPlan } from "../demo/plan.js";
import { type DemoSummary, renderDemo, summarizeDemo } from "../demo/summary.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { type ProgressBar, progressBar } from "../progress-bar.js";
import { stopOnSignals } from "../stop-on-signals.js";

const defaultTasks = 300;
const leastTasks = 10;
const lookEveryMs = 50;

/** A cluster, a database and a few hundred tasks that leave nothing behind. Exits with 1 when a task has no result. */
export async function runDemo({ flags, terminal }: CommandContext): Promise<ExitCode> {
  const tasks = flags.count("tasks", leastTasks) ?? defaultTasks;
  const folder = await mkdtemp(join(tmpdir(), "qluster-demo-"));
  try {
    const bar = progressBar(terminal, "demo", () => performance.now());
    terminal.note(`A cluster on ${join(folder, "demo.db")}. Ctrl-C stops it and cleans up.`);
    const summary = await demonstrate(tasks, demoConfig(folder), bar);
    if (summary === undefined) return exitCodes.failed;
    if (flags.on("json")) terminal.print(JSON.stringify(summary, null, 2));
    else for (const line of renderDemo(summary, terminal.style)) terminal.print(line);
    return summary.lost === 0 ? exitCodes.ok : exitCodes.failed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function demoConfig(folder: string): ResolvedConfig {
  const config = {
    name: "demo",
    database: `sqlite:${join(folder, "demo.db")}`,
    tasks: ["sample-tasks.{js,ts}"],
    killAfter: "500ms",
    logLevel: "error",
    logFormat: "pretty",
  } as const;
  // The demo is the same everywhere, whatever the environment says of the user's own project.
  return resolveConfig(config, { env: {}, root: fileURLToPath(new URL("../demo/", import.meta.url)) });
}

/** `undefined` when a signal ended it before all was done. */
async function demonstrate(tasks: number, config: ResolvedConfig, bar: ProgressBar): Promise<DemoSummary | undefined> {
  const logger = openLogger(config, { write: bar.write, fields: { cluster: config.clusterName } });
  await using q = qlusterOf(config);
  const cluster = createCluster(config, logger);
  using signals = stopOnSignals(cluster, { say: bar.say, graceMs: config.graceMs });
  const began = performance.now();
  await cluster.start();
  await q.asyncTasks(demoPlan(tasks));
  await watch(cluster, tasks, bar);
  const elapsedMs = performance.now() - began;
  await cluster.stop();
  if (signals.asked()) return undefined;
  return summarizeDemo(tasks, (await q.fetchGroup(demoGroup)) ?? [], elapsedMs);
}

async function watch(cluster: Cluster, total: number, bar: ProgressBar): Promise<void> {
  let stopped = false;
  void cluster.stopped.then(() => (stopped = true));
  while (!stopped && cluster.progress().done < total) {
    bar.update({ ...cluster.progress(), total });
    await sleep(lookEveryMs);
  }
  bar.update({ ...cluster.progress(), total });
  bar.finish();
}
