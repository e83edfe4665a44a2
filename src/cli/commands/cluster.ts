import { performance } from "node:perf_hooks";
import type { ClusterProgress, StopReport } from "../../cluster/index.js";
import { openLogger } from "../../cluster/logger.js";
import { createCluster } from "../../cluster/supervisor.js";
import type { Logger } from "../../contracts/logger.js";
import type { QlusterConfig } from "../../options/config.js";
import type { ResolvedConfig } from "../../options/resolved.js";
import { openBacklog } from "../backlog.js";
import type { CommandContext } from "../command.js";
import { type ExitCode, exitCodes } from "../exit-codes.js";
import { exitCodeOf } from "../explain.js";
import { finishWork } from "../finish-work.js";
import { counted } from "../counted.js";
import type { Flags } from "../flags.js";
import { parseQueues } from "../parse-queues.js";
import { type ProgressBar, progressBar } from "../progress-bar.js";
import { openProject } from "../project.js";
import { stopOnSignals } from "../stop-on-signals.js";
import { UsageError } from "../usage-error.js";

/** Runs a cluster until it is told to stop, or until `--drain` or `--run-once` is fulfilled. */
export async function runCluster({ flags, terminal }: CommandContext): Promise<ExitCode> {
  const until = flags.on("drain") ? "drained" : flags.on("run-once") ? "tried" : "told";
  if (flags.on("drain") && flags.on("run-once"))
    throw new UsageError("--drain and --run-once exclude each other; --drain waits for retries too. Leave one out.");
  const { config: written } = await openProject(flags, clusterOptions(flags));
  const visible = until !== "told" && terminal.interactive;
  const bar = visible ? progressBar(terminal, "tasks", () => performance.now()) : undefined;
  const config = visible ? quieter(written) : written;
  process.title = `qcluster ${config.clusterName} supervisor`;
  const logger = openLogger(config, { write: bar?.write, fields: { cluster: config.clusterName } });
  for (const note of config.notes) logger.warn(note);

  if (until === "told") return ending(await runUntilTold(config, logger), logger);
  const { report, done, failed, retried } = await runBounded(config, logger, until, bar);
  bar?.finish();
  const say = bar === undefined ? logger.info : terminal.note;
  say(
    `Finished ${counted(done, "task")}, ${failed} of them failed; ${counted(retried, "attempt")} followed by another.`,
  );
  return ending(report, logger);
}

async function runUntilTold(config: ResolvedConfig, logger: Logger): Promise<StopReport> {
  const cluster = createCluster(config, logger);
  using _ = stopOnSignals(cluster, { say: logger.info, graceMs: config.graceMs });
  await cluster.start();
  return await cluster.stopped;
}

async function runBounded(
  config: ResolvedConfig,
  logger: Logger,
  until: "drained" | "tried",
  bar: ProgressBar | undefined,
): Promise<{ readonly report: StopReport } & ClusterProgress> {
  await using backlog = await openBacklog(config);
  const cluster = createCluster(config, logger);
  using _ = stopOnSignals(cluster, { say: bar === undefined ? logger.info : bar.say, graceMs: config.graceMs });
  const goal = until === "drained" ? until : await backlog.waiting();
  await cluster.start();
  await finishWork(cluster, backlog, goal, bar);
  return { report: await cluster.stopped, ...cluster.progress() };
}

/** A line for each task would tear the bar apart; whoever wants them sets the level. */
function quieter(config: ResolvedConfig): ResolvedConfig {
  return config.sources.get("logLevel") === "default" ? { ...config, logLevel: "warn" } : config;
}

function clusterOptions(flags: Flags): Partial<QlusterConfig> {
  const queues = flags.text("queues");
  return {
    clusterName: flags.text("name"),
    scheduler: flags.off("schedule") ? false : undefined,
    workers: flags.count("workers", 0),
    concurrency: flags.count("concurrency", 1),
    isolation: flags.oneOf("isolation", ["process", "thread", "none"]),
    logLevel: flags.oneOf("log-level", ["debug", "info", "warn", "error", "silent"]),
    logFormat: flags.on("json-logs") ? "json" : undefined,
    queues: queues === undefined ? undefined : parseQueues(queues),
  };
}

/** Says what the next cluster will do again. Nothing of that is lost. */
function ending({ error, released, unstored }: StopReport, logger: Logger): ExitCode {
  if (released > 0)
    logger.info(`${counted(released, "task")} given back unfinished, to run again when a cluster takes them.`);
  if (unstored > 0)
    logger.error(`${counted(unstored, "result")} could not be stored. What they came from will run again.`);
  if (error !== undefined) return exitCodeOf(error);
  return unstored > 0 ? exitCodes.failed : exitCodes.ok;
}
