import { hostname } from "node:os";
import type { Logger } from "../contracts/logger.js";
import { createLogger } from "../core/logger.js";
import type { ResolvedConfig } from "../options/resolved.js";

/** Where a process that enqueues writes its log: the configured logger, else the standard error output. */
export function clientLogger(config: ResolvedConfig): Logger {
  if (config.logger !== null) return config.logger;
  return createLogger({
    write: (lines) => void process.stderr.write(lines),
    clock: { now: Date.now },
    level: config.logLevel,
    format: config.logFormat,
    colour: process.stderr.isTTY,
    origin: { pid: process.pid, hostname: hostname() },
  });
}
