import type { DeadReason } from "./contracts/store.js";

/** Base of every error this package throws on purpose. Branch on `code`; messages may change. */
export abstract class QlusterError extends Error {
  abstract readonly code: `QLUSTER_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The database or broker could not be reached, or was locked for too long. Worth retrying. */
export class StoreUnavailableError extends QlusterError {
  readonly code = "QLUSTER_STORE_UNAVAILABLE";
  /** The write may have arrived all the same. Repeating it with the same ids is harmless. */
  readonly maybeWritten: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly maybeWritten?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.maybeWritten = options.maybeWritten ?? false;
  }
}

/** A consumer's lease ended before it was renewed: what it held may run elsewhere. */
export class LeaseLostError extends QlusterError {
  readonly code = "QLUSTER_LEASE_LOST";

  /** @param message - What it means where there is no consumer to open. */
  constructor(consumer: string, message?: string) {
    super(
      message ??
        `The lease of consumer ${consumer} has ended; what it held is free for other clusters. ` +
          "Open a new consumer and go on.",
    );
  }
}

/** A transaction of the application cannot be used: not recognised, not open, or on another database. Nothing was written. */
export class TransactionError extends QlusterError {
  readonly code = "QLUSTER_TRANSACTION";
}

/** The tables are missing, or older than this code can work with. */
export class SchemaError extends QlusterError {
  readonly code = "QLUSTER_SCHEMA";
}

/** The configuration cannot be used. `problems` has one line for each fault. */
export class ConfigError extends QlusterError {
  readonly code = "QLUSTER_CONFIG";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? `Qluster cannot start: ${problems[0]}`
        : `Qluster cannot start, for ${problems.length} reasons:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
    );
    this.problems = problems;
  }
}

/** A task was received, or enqueued, under a name this process does not know. */
export class UnknownTaskError extends QlusterError {
  readonly code = "QLUSTER_UNKNOWN_TASK";

  /**
   * @param near - The most similar name that is known, if any is similar.
   * @param advice - One more sentence on what to do.
   */
  constructor(taskName: string, near: string | undefined, advice?: string) {
    super(
      `No task named "${taskName}" is known here. ` +
        (near === undefined
          ? "Export it from a module that the option `tasks` matches, or define it there with task()."
          : `Did you mean "${near}"?`) +
        (advice === undefined ? "" : ` ${advice}`),
    );
  }
}

/** A plain function was given that no known task consists of. */
export class UnknownFunctionError extends UnknownTaskError {
  /** @param role - What it was given as: `task` or `hook`. */
  constructor(functionName: string, role: "task" | "hook") {
    super(functionName === "" ? "(a function without a name)" : functionName, undefined);
    const define = `task("some.name", ${functionName === "" ? "fn" : functionName})`;
    this.message =
      `The function ${functionName === "" ? "without a name" : functionName} cannot be found as a ${role} by itself. ` +
      `Make it a task with ${define}, or give its name as a text, such as "core.tasks.${functionName || "resize"}", ` +
      "or call loadTasks() first, which finds the functions that the modules of the option `tasks` export.";
  }
}

/** An option of one request cannot be used: unknown, of the wrong kind, or outside its range. */
export class OptionError extends QlusterError {
  readonly code = "QLUSTER_OPTION";
}

/** `previous()` stands where no link is before: outside of a chain, or in its first link. */
export class PreviousError extends QlusterError {
  readonly code = "QLUSTER_PREVIOUS";

  constructor(func: string) {
    super(
      `previous() among the arguments of ${func} has no link before it. Use it in the second link of a chain, or in a ` +
        "later one: asyncChain([link(download, url), link(resize, previous(), 300)]).",
    );
  }
}

/** The task has succeeded, and its result was kept for a time (option `cached`) that is over. */
export class ResultExpiredError extends QlusterError {
  readonly code = "QLUSTER_RESULT_EXPIRED";

  constructor(id: string) {
    super(
      `The result of ${id} has expired: it was kept as long as its option \`cached\` said. Give it more time, or save() it.`,
    );
  }
}

/** A chain, an iterable or a batch cannot be used so: it has ended, is full, or is not known. */
export class FlowError extends QlusterError {
  readonly code = "QLUSTER_FLOW";
}

/** A task ended without success; `result` throws this. The task's own error is the `cause`, and in parts in `error`. */
export class TaskFailedError extends QlusterError {
  readonly code = "QLUSTER_TASK_FAILED";
  readonly id: string;
  /** The registered name of the function. */
  readonly func: string;
  readonly state: "failed" | "cancelled" | "expired";
  /** How many attempts counted. */
  readonly attempts: number;
  readonly error: { readonly name: string; readonly message: string; readonly stack: string | undefined };

  constructor(task: Pick<TaskFailedError, "id" | "func" | "state" | "attempts" | "error">) {
    const { id, func, state, attempts, error } = task;
    const tries = state === "failed" ? ` after ${attempts} attempt${attempts === 1 ? "" : "s"}` : "";
    const cause = Object.assign(new Error(error.message), { name: error.name, stack: error.stack ?? "" });
    super(`Task ${func} (${id}) ${stateTexts[state]}${tries}: ${error.name}: ${error.message}`, { cause });
    this.id = id;
    this.func = func;
    this.state = state;
    this.attempts = attempts;
    this.error = error;
  }
}

const stateTexts = { failed: "failed", cancelled: "was cancelled", expired: "expired" } as const;

/** Too many calls wait for their write already: the database is slow or away, or the caller never waits for its calls. */
export class TooManyPendingError extends QlusterError {
  readonly code = "QLUSTER_TOO_MANY_PENDING";

  constructor(pending: number) {
    super(
      `${pending} calls wait for their write already, which is the limit (option \`maxPending\`). ` +
        "Await calls as you go, hand many tasks to asyncTasks() at once, or raise the limit.",
    );
  }
}

/** A verb was used after `close()`. */
export class ClosedError extends QlusterError {
  readonly code = "QLUSTER_CLOSED";

  constructor() {
    super("This connection to the queue was closed. Call createQluster() for a new one, or close it later.");
  }
}

/** A module of the option `tasks` could not be loaded, or gives a name that another module gives too. */
export class TaskLoadError extends QlusterError {
  readonly code = "QLUSTER_TASK_LOAD";
}

/** Arguments that do not fit the task's `input` schema. `issues` has one line for each fault, with its path. */
export class ArgumentsError extends QlusterError {
  readonly code = "QLUSTER_ARGUMENTS";
  readonly issues: readonly string[];

  constructor(taskName: string, issues: readonly string[]) {
    super(`The arguments of "${taskName}" do not fit its input schema: ${issues.join("; ")}.`);
    this.issues = issues;
  }
}

/** Throw it in a task to say that trying again is of no use: the attempt is the last one. */
export class NoRetryError extends QlusterError {
  readonly code = "QLUSTER_NO_RETRY";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
  }
}

/** The attempt took longer than its `timeout`. Counterpart in Django Q2: `django_q.timeout`, with the same words. */
export class TaskTimeoutError extends QlusterError {
  readonly code = "QLUSTER_TASK_TIMEOUT";

  /** @param limitMs - The time-out in milliseconds. */
  constructor(limitMs: number) {
    super(`Task exceeded maximum timeout value (${limitMs / 1000} seconds)`);
  }
}

/** The attempt was asked to stop: by `cancel`, because the cluster stops, or because its lease is lost. */
export class TaskAbortedError extends QlusterError {
  readonly code = "QLUSTER_TASK_ABORTED";
  readonly reason: "cancelled" | "stopped" | "lost";

  constructor(reason: "cancelled" | "stopped" | "lost") {
    super(abortTexts[reason]);
    this.reason = reason;
  }
}

const abortTexts = {
  cancelled: "The task was cancelled.",
  stopped: "The cluster stopped before the task had finished; it runs again elsewhere.",
  lost: "The cluster lost its lease on this task; another cluster may run it already.",
} as const;

/** A duration that is none: negative, not finite, without a unit, or with an unknown one. */
export class InvalidDurationError extends QlusterError {
  readonly code = "QLUSTER_INVALID_DURATION";
  readonly path: string;

  /** @param path - Where it stands: `timeout`, `backoff.base`. */
  constructor(path: string, value: unknown) {
    super(
      `\`${path}\` is ${quote(value)}, which is no duration. ` +
        'Give a number of milliseconds, or a number with a unit (ms, s, m, h, d, w), such as "30s" or "1.5m".',
    );
    this.path = path;
  }
}

/** An id that is not made of hexadecimal digits, or too short for what was asked of it. */
export class InvalidIdError extends QlusterError {
  readonly code = "QLUSTER_INVALID_ID";

  constructor(id: string, words: number) {
    super(
      `${quote(id)} cannot be spelled in ${words} words: that takes an id of hexadecimal digits, two for each byte and at ` +
        "least one byte for each word. Pass the id as asyncTask() gave it.",
    );
  }
}

/** A name, group or the like that no column holds. */
export class TooLongError extends QlusterError {
  readonly code = "QLUSTER_TOO_LONG";

  constructor(what: string, value: string, length: number, max: number) {
    super(`The ${what} ${quote(value)} has ${length} characters; at most ${max} can be kept. Choose a shorter one.`);
  }
}

/** An argument or a result holds a value that no message can carry. `path` says where: `args[0].user.socket`. */
export class UnencodableError extends QlusterError {
  readonly code = "QLUSTER_UNENCODABLE";
  readonly path: string;

  /**
   * @param what - What it is: `is a Socket`.
   * @param advice - What to do, as a sentence.
   */
  constructor(path: string, what: string, advice: string, options: { readonly cause?: unknown } = {}) {
    const shown = path.length > 160 ? `${path.slice(0, 80)}...${path.slice(-60)}` : path;
    super(`${shown} ${what}, which a task cannot carry. ${advice}`, { cause: options.cause });
    this.path = path;
  }
}

/** `registerCodec` was given something that is no codec. */
export class InvalidCodecError extends QlusterError {
  readonly code = "QLUSTER_INVALID_CODEC";

  constructor(name: string, fault: string) {
    super(`The codec ${quote(name)} cannot be registered: ${fault}. Pass a name and { type, encode, decode }.`);
  }
}

/** Stored text cannot be turned back into values, for example because a codec is not registered here. */
export class UndecodableError extends QlusterError {
  readonly code = "QLUSTER_UNDECODABLE";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
  }
}

/** A message or result is larger than the limit. Sizes in bytes, as it would be stored. */
export class TooLargeError extends QlusterError {
  readonly code = "QLUSTER_TOO_LARGE";
  readonly bytes: number;
  readonly maxBytes: number;

  /**
   * @param what - `message` or `result`.
   * @param largest - The part that takes most: its path and its size in bytes.
   */
  constructor(
    what: "message" | "result",
    bytes: number,
    maxBytes: number,
    largest: { readonly path: string; readonly bytes: number },
  ) {
    const option = what === "message" ? "maxMessage" : "maxResult";
    super(
      `The ${what} takes ${bytes} bytes; the limit (option \`${option}\`) is ${maxBytes}. ` +
        `Most of it is ${largest.path} with ${largest.bytes} bytes. Store large data elsewhere and pass its key, or raise the limit.`,
    );
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/**
 * A message or result could not be opened; nothing of it was run. `reason` says why: it goes on record with a message
 * that is set aside. `newer`: code of a later version wrote it; a cluster that is up to date can run it.
 */
export class EnvelopeError extends QlusterError {
  readonly code = "QLUSTER_ENVELOPE";
  readonly reason: DeadReason | "newer";

  constructor(reason: DeadReason | "newer", message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
  }
}

/** A value for a message, short. */
function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** The database file was deleted or replaced while it was open. Not worth retrying: what is written goes nowhere. */
export class StoreReplacedError extends QlusterError {
  readonly code = "QLUSTER_STORE_REPLACED";

  constructor(file: string, what: "deleted" | "replaced") {
    super(
      `The database file "${file}" was ${what} while it was open; what is written now would be lost with the old file. ` +
        "Stop every process that uses it, put the right file in its place with its -wal file, and start again.",
    );
  }
}

/** The database cannot be read: damaged, or made by something else. Not worth retrying. */
export class StoreDamagedError extends QlusterError {
  readonly code = "QLUSTER_STORE_DAMAGED";
}

/** The package that talks to a database is not installed. */
export class ClientMissingError extends QlusterError {
  readonly code = "QLUSTER_CLIENT_MISSING";

  constructor(packageName: string, database: string, cause: unknown, hint = "") {
    super(
      `${database} needs the package "${packageName}", which cannot be loaded in this installation. ` +
        `Run: npm install ${packageName}${hint === "" ? "" : `  (${hint})`}`,
      { cause },
    );
  }
}

/**
 * A schedule that cannot be: a rule, a zone, a name or a time that is refused at creation. Counterpart in Django Q2:
 * `ValidationError`.
 */
export class ScheduleError extends QlusterError {
  readonly code = "QLUSTER_SCHEDULE";
  /** The field at fault: `cron`, `minutes`, `timeZone`, `name`. */
  readonly field: string;
  /** In a cron expression: where the fault begins, counted from 1. */
  readonly position: number | undefined;

  constructor(field: string, message: string, position?: number) {
    super(message);
    this.field = field;
    this.position = position;
  }
}
