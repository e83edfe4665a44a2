import type { Clock } from "../contracts/clock.js";
import type { LogFields, Logger } from "../contracts/logger.js";
import { jsonLine, type LogLevel, type LogOrigin, type LogRecord, prettyLine } from "./log-line.js";

export interface LoggerOptions {
  /** Takes whole lines, line feed included. */
  readonly write: (lines: string) => void;
  readonly clock: Pick<Clock, "now">;
  /** `debug`, `info`, `warn`, `error`, `silent`; anything else counts as `info`. */
  readonly level: string;
  readonly format: "pretty" | "json";
  /** Colours in the pretty format. Default false. */
  readonly colour?: boolean | undefined;
  readonly origin: LogOrigin;
  /** On every line: the cluster's name, the worker's. */
  readonly fields?: LogFields | undefined;
}

const order: readonly string[] = ["debug", "info", "warn", "error", "silent"];

/** The logger of clusters and workers: Django Q2's lines for people, pino's JSON lines for machines. Never throws. */
export function createLogger(options: LoggerOptions): Logger {
  const wanted = order.indexOf(options.level);
  const least = wanted === -1 ? order.indexOf("info") : wanted;
  const writer = (level: LogLevel) => (order.indexOf(level) < least ? ignore : lineWriter(level, options));
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

function lineWriter(level: LogLevel, options: LoggerOptions): (message: string, fields?: LogFields) => void {
  return (message, fields) => {
    const time = options.clock.now();
    try {
      options.write(text({ level, time, message, fields: { ...options.fields, ...fields } }, options));
    } catch {
      // A log that cannot be written must not cost the task that it tells of. A field that cannot be read is left out.
      if (fields !== undefined) lineWriter(level, options)(message);
    }
  };
}

function text(record: LogRecord, options: LoggerOptions): string {
  return options.format === "json" ? jsonLine(record, options.origin) : prettyLine(record, options.colour ?? false);
}

function ignore(): void {}
