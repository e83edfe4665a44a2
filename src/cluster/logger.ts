import { hostname } from "node:os";
import { createLogger } from "../core/logger.js";
import type { LogFields, Logger } from "../contracts/logger.js";
import type { ResolvedConfig } from "../options/resolved.js";

export interface OpenLoggerOptions {
  /** On every line. */
  readonly fields?: LogFields | undefined;
  /** Takes whole lines. Default: standard error of this process. */
  readonly write?: ((lines: string) => void) | undefined;
}

/** The logger that the configuration asks for: the application's own, or ours on standard error. */
export function openLogger(
  config: Pick<ResolvedConfig, "logger" | "logLevel" | "logFormat">,
  options: OpenLoggerOptions = {},
): Logger {
  if (config.logger !== null) return config.logger;
  return createLogger({
    write: options.write ?? writeToStandardError(),
    clock: { now: Date.now },
    level: config.logLevel,
    format: config.logFormat,
    colour: process.stderr.isTTY && process.stderr.hasColors(),
    origin: { pid: process.pid, hostname: hostname() },
    fields: options.fields,
  });
}

function writeToStandardError(): (lines: string) => void {
  // Whoever read the log may have gone; without a listener that would end the process.
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", ignore);
  return (lines) => void process.stderr.write(lines);
}

function ignore(): void {}
