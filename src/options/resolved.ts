import type { Durability } from "../contracts/backend.js";
import type { RetentionLimits } from "../contracts/store.js";
import type { ErrorReporter } from "../core/task-types.js";
import type { Logger } from "../contracts/logger.js";

/** A configuration after all checks: complete, in milliseconds and bytes, frozen. */
export interface ResolvedConfig {
  /** The project: separates what shares a database, and is under every signature. */
  readonly name: string;
  /** The queue that this cluster serves by default, and that tasks without `queue` go to. */
  readonly clusterName: string;
  /** Absolute. Relative paths of the configuration start here. */
  readonly root: string;
  readonly configFile: string | null;
  readonly database: DatabaseAddress;
  /** What carries messages in place of the database; `null` when the database does. */
  readonly broker: DatabaseAddress | null;
  /** What keeps short-lived text in place of the database; `null` when the database does. */
  readonly cache: DatabaseAddress | null;
  readonly tasks: readonly string[];
  /** Queues this cluster serves, with their weights. */
  readonly queues: ReadonlyMap<string, number>;
  /** Queues with a slot of their own in the database. Empty where it has no slots, or a broker elsewhere carries all of them. */
  readonly apartQueues: readonly string[];
  readonly workers: number;
  readonly concurrency: number;
  readonly isolation: Isolation;
  readonly daemonizeWorkers: boolean;
  readonly leaseMs: number;
  readonly timeoutMs: number | null;
  readonly killAfterMs: number;
  readonly graceMs: number;
  /** 0: for ever. */
  readonly attempts: number;
  readonly backoff: ResolvedBackoff;
  readonly hookOn: "final" | "attempt";
  /** This cluster fires schedules. */
  readonly scheduler: boolean;
  /** Of schedules that name none. */
  readonly timeZone: string;
  /** Of schedules that do not say. */
  readonly catchUp: "all" | "latest" | "none";
  readonly preset: "django-q2" | null;
  /** 0: never. */
  readonly recycle: number;
  readonly maxRssBytes: number | null;
  /** 0: workers run on all processors. */
  readonly cpuAffinity: number;
  readonly queueLimit: number;
  readonly maxDeliveries: number;
  readonly unknownForMs: number;
  readonly maxMessageBytes: number;
  readonly maxResultBytes: number;
  readonly enqueueTimeoutMs: number;
  readonly maxPending: number;
  readonly retention: RetentionLimits;
  /** Of tasks that do not say: how long the cache keeps their results; `null` for ever, `undefined` when the record does. */
  readonly cachedMs: number | null | undefined;
  readonly durability: Durability;
  readonly compress: boolean;
  readonly encrypt: boolean;
  /** The first one seals. Never empty. */
  readonly secrets: readonly string[];
  readonly sync: boolean;
  readonly save: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "pretty" | "json";
  readonly logger: Logger | null;
  readonly errorReporters: readonly (string | ErrorReporter)[];
  /** Where each value came from, by option, for `config print`. */
  readonly sources: ReadonlyMap<string, ValueSource>;
  /** Each value as it may be printed, by option: secrets and passwords are masked. */
  readonly shown: ReadonlyMap<string, string>;
  /** What somebody should know who starts a cluster with it, one line each: translated and ignored options. */
  readonly notes: readonly string[];
}

export type Isolation = "process" | "thread" | "none";
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export type ValueSource = "flag" | "environment" | "file" | "preset" | "default";

export interface DatabaseAddress {
  /** `sqlite`, `memory` … names the folder in `backends/`. */
  readonly scheme: string;
  /** What follows, absolute where it is a path. */
  readonly location: string;
  /** A live client of the database's own library, or options for one. Never sent to a thread, and never printed. */
  readonly client?: unknown;
}

export interface ResolvedBackoff {
  readonly baseMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: number;
}
