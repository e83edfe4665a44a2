import { QlusterError } from "../errors.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";

export interface Explanation {
  readonly code: ExitCode;
  readonly lines: readonly string[];
}

/** What is wrong with the command line or the configuration, so that trying again will not help. */
const usageCodes = new Set([
  "QLUSTER_USAGE",
  "QLUSTER_CONFIG",
  "QLUSTER_CONFIG_FILE",
  "QLUSTER_UNKNOWN_TASK",
  "QLUSTER_OPTION",
  "QLUSTER_ARGUMENTS",
  "QLUSTER_SCHEDULE",
  "QLUSTER_INVALID_DURATION",
  "QLUSTER_TOO_LONG",
  "QLUSTER_TOO_LARGE",
]);

/** What to tell people about an error. Our own errors say what to do, so they need no stack; others are shown whole. */
export function explain(error: unknown): Explanation {
  const code = exitCodeOf(error);
  if (!(error instanceof QlusterError)) return { code, lines: [unexpected(error)] };
  const causes = causesOf(error).map((cause) => `  because: ${cause}`);
  return { code, lines: [`${error.message} (${error.code})`, ...causes] };
}

/** What the shell gets when a command ends with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof QlusterError)) return exitCodes.failed;
  if (error.code === "QLUSTER_STORE_UNAVAILABLE") return exitCodes.unreachable;
  return usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
}

/** Messages of the causes, outermost first; those that the message before has already quoted are left out. */
function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let said = error.message;
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (!said.includes(cause.message)) causes.push(cause.message);
    said += cause.message;
  }
  return causes;
}

function unexpected(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message;
  return `Something that is no error was thrown: ${String(error)}`;
}
