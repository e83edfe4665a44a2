import { execFile, spawn } from "node:child_process";
import { task } from "../client/task.js";
import { currentTask } from "../core/current-task.js";
import type { Task } from "../core/task-types.js";

/** How a command runs. */
export interface CommandOptions {
  /** Its working directory. Default: the worker's. */
  readonly cwd?: string | undefined;
  /** Variables beside those of the worker. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

type Command<R> = Task<(command: string, args?: readonly string[], options?: CommandOptions) => Promise<R>>;

/** What {@link output} reads at most, in bytes. */
const longestOutput = 16 * 1_024 * 1_024;
/** Of the standard error output, an error quotes so many characters at most, the last ones. */
const longestQuote = 2_000;

/**
 * Runs a program, and returns its exit code, also one that is not 0. What it prints goes where the worker's output goes.
 * There is no shell in between: for pipes and the like, run one (`"sh", ["-c", "…"]`). When the task is stopped, so is the
 * program.
 *
 * Whoever can enqueue tasks can run any program with it. So it is there only where a task module of the application exports it
 * again. Its name is `shell.run`. Counterpart in Django Q2: `subprocess.call` and
 * `django.core.management.call_command` as tasks.
 *
 * @throws When the program cannot be started, or was ended by a signal.
 * @example
 * await asyncTask(run, "npx", ["prisma", "db", "seed"]);
 */
export const run: Command<number> = task("shell.run", runProgram);

/**
 * The same, but returns what the program prints to its standard output, at most 16 MiB. Its name is `shell.output`.
 * Counterpart in Django Q2: `subprocess.check_output` as a task.
 *
 * @throws When it ends with another exit code than 0, with the end of its standard error output.
 */
export const output: Command<string> = task("shell.output", outputOf);

function runProgram(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...surroundings(options), stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", (cause) => reject(failure(command, cause)));
    child.once("exit", (code, signal) => {
      if (code === null) reject(new Error(`${command} was ended by ${signal ?? "a signal"}.`));
      else resolve(code);
    });
  });
}

function outputOf(command: string, args: readonly string[] = [], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { ...surroundings(options), maxBuffer: longestOutput }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (typeof error.code !== "number") return reject(failure(command, error));
      const said = stderr.slice(-longestQuote).trim();
      reject(new Error(`${command} ended with exit code ${error.code}${said === "" ? "." : `: ${said}`}`));
    });
  });
}

function surroundings({ cwd, env }: CommandOptions): {
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
} {
  return { cwd, env: { ...process.env, ...env }, signal: currentTask()?.signal };
}

function failure(command: string, cause: Error): Error {
  return new Error(`${command} could not be run to its end: ${cause.message}`, { cause });
}
