import type { LogFields } from "../contracts/logger.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One entry of the log, before it is text. */
export interface LogRecord {
  readonly level: LogLevel;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly message: string;
  readonly fields: LogFields;
}

/** The process that writes: on every JSON line. */
export interface LogOrigin {
  readonly pid: number;
  readonly hostname: string;
}

/** As pino counts them, so that its tools read our lines. */
const numbers = { debug: 20, info: 30, warn: 40, error: 50 } as const satisfies Record<LogLevel, number>;
const words = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" } as const satisfies Record<
  LogLevel,
  string
>;
const colours = { debug: 90, info: 32, warn: 33, error: 31 } as const satisfies Record<LogLevel, number>;

/** `HH:MM:SS [Q] INFO message` in local time, with a line feed; an error's stack follows, indented. As Django Q2 logs. */
export function prettyLine(record: LogRecord, colour: boolean): string {
  const level = paint(words[record.level], colours[record.level], colour);
  const head = `${clockTime(record.time)} [Q] ${level} ${printable(record.message)}`;
  const stack = stackOf(record.fields["error"]);
  const lines = stack === undefined ? [head] : [head, ...stack.split("\n").map((line) => `    ${printable(line)}`)];
  return `${lines.join("\n")}\n`;
}

/** One JSON object and a line feed, with the fields that pino uses: `level`, `time`, `pid`, `hostname`, `msg`, `err`. */
export function jsonLine(record: LogRecord, origin: LogOrigin): string {
  const { error, ...fields } = record.fields;
  const head = { level: numbers[record.level], time: record.time, ...origin, msg: record.message };
  const err = error === undefined ? {} : { err: plainError(error) };
  // The head twice: the first one puts its keys in front, the second one keeps fields from replacing them.
  return `${stringify({ ...head, ...fields, ...err, ...head })}\n`;
}

function clockTime(time: number): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

function paint(text: string, code: number, colour: boolean): string {
  return colour ? `\u001B[${code}m${text}\u001B[39m` : text;
}

/** What a task throws may hold escape sequences; they must not move the cursor of whoever reads the log. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, escape).replaceAll("\n", "\n    ");
}

function escape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function stackOf(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  if (typeof error === "string") return error;
  const { stack, message } = partsOf(error);
  if (typeof stack === "string") return stack;
  return typeof message === "string" ? message : stringify(error);
}

function plainError(error: unknown): unknown {
  if (typeof error === "string") return { type: "string", message: error };
  const { name, message, stack, code } = partsOf(error);
  return { type: name ?? typeof error, message: message ?? stringify(error), stack, code };
}

function partsOf(error: unknown): Readonly<Record<string, unknown>> {
  return typeof error === "object" && error !== null ? { ...error, ...inherited(error) } : {};
}

/** An error's own words are no enumerable properties, and its name is inherited. */
function inherited(error: object): Readonly<Record<string, unknown>> {
  return error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : {};
}

/** A log line must never throw, whatever it was given. */
function stringify(value: unknown): string {
  const seen = new WeakSet<object>();
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    if (typeof part !== "object" || part === null) return part;
    if (seen.has(part)) return "[repeated]";
    seen.add(part);
    return part;
  });
}
