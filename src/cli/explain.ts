import { ConfigError, QlusterError, StoreUnavailableError } from "../errors.js";
import { ConfigFileError } from "./config-file-error.js";
import { type ExitCode, exitCodes } from "./exit-codes.js";
import { UsageError } from "./usage-error.js";

const usageErrors = [UsageError, ConfigError, ConfigFileError];

export interface Explanation {
  readonly code: ExitCode;
  readonly lines: readonly string[];
}

/** What to tell people about an error. Our own errors say what to do, so they need no stack; others are shown whole. */
export function explain(error: unknown): Explanation {
  const code = exitCodeOf(error);
  if (!(error instanceof QlusterError)) return { code, lines: [unexpected(error)] };
  const causes = causesOf(error).map((cause) => `  because: ${cause}`);
  return { code, lines: [`${error.message} (${error.code})`, ...causes] };
}

/** What the shell gets when a command ends with `error`. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof StoreUnavailableError) return exitCodes.unreachable;
  return usageErrors.some((kind) => error instanceof kind) ? exitCodes.usage : exitCodes.failed;
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
  return error instanceof Error
    ? (error.stack ?? error.message)
    : `Something that is no error was thrown: ${String(error)}`;
}
