import type { BackendOptions } from "../contracts/backend.js";
import type { Logger } from "../contracts/logger.js";
import type { ErrorReporter } from "../core/task-types.js";
import { backendOptions } from "../options/open-backend.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { OpenChannel } from "./channel.js";
import { inlineChannel } from "./inline-channel.js";
import { pinnedProcesses } from "./pinned-channel.js";
import type { PoolOptions } from "./pool.js";
import { openProcess } from "./process-channel.js";
import { openThread } from "./thread-channel.js";

/** A worker whose supervisor is silent for this share of a lease ends itself, before anybody takes over its tasks. */
const silence = 2 / 3;

export function poolOptions(config: ResolvedConfig): PoolOptions {
  return {
    size: config.isolation === "none" ? 1 : config.workers,
    channel: {
      places: config.isolation === "none" ? config.workers * config.concurrency : config.concurrency,
      ownGroup: config.daemonizeWorkers && process.platform !== "win32",
    },
    killAfterMs: config.killAfterMs,
    graceMs: config.graceMs,
    reports: config.errorReporters.length > 0,
    init: {
      project: config.name,
      clusterName: config.clusterName,
      secrets: config.secrets,
      root: config.root,
      tasks: config.tasks,
      reporterModules: config.errorReporters.filter((reporter) => typeof reporter === "string"),
      concurrency: config.isolation === "none" ? config.workers * config.concurrency : config.concurrency,
      recycle: config.isolation === "none" ? 0 : config.recycle,
      maxRssBytes: config.isolation === "process" ? config.maxRssBytes : null,
      maxMessageBytes: config.maxMessageBytes,
      maxResultBytes: config.maxResultBytes,
      encrypt: config.encrypt,
      compress: config.compress,
      database: {
        scheme: config.database.scheme,
        options: sendable(config),
        broker: config.broker?.scheme ?? null,
      },
      save: config.save,
      hookOn: config.hookOn,
      logLevel: config.logLevel,
      logFormat: config.logFormat,
      logColour: process.stderr.isTTY && process.stderr.hasColors(),
      silenceMs: config.leaseMs * silence,
    },
  };
}

/** A live client stays in this process. */
function sendable(config: ResolvedConfig): BackendOptions | null {
  const isHere = config.isolation === "none";
  return config.database.client === undefined || isHere
    ? backendOptions(config, config.database, { migrate: false })
    : null;
}

export function channelFor(config: ResolvedConfig, logger: Logger): OpenChannel {
  if (config.cpuAffinity > 0 && config.isolation !== "process") {
    logger.warn(
      `cpuAffinity: ${config.cpuAffinity} has no effect with isolation: "${config.isolation}", only with "process".`,
    );
  }
  switch (config.isolation) {
    case "process":
      return config.cpuAffinity > 0 ? pinnedProcesses(config.cpuAffinity, logger) : openProcess;
    case "thread":
      return openThread;
    case "none":
      return inlineChannel(logger, config.errorReporters.filter(isValue));
  }
}

function isValue(reporter: string | ErrorReporter): reporter is ErrorReporter {
  return typeof reporter !== "string";
}
