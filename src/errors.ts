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

  constructor(consumer: string) {
    super(
      `The lease of consumer ${consumer} has ended; what it held is free for other clusters. ` +
        "Open a new consumer and go on.",
    );
  }
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
