import type { Durability } from "../contracts/backend.js";
import type { Logger } from "../contracts/logger.js";
import type { Backoff, Duration, ErrorReporter } from "../core/task-types.js";
import type { DatabaseOption } from "./database-option.js";

/** Bytes, or a number with a unit; units count by 1024: `"256KB"`, `"1.5MB"`, `"2GB"`. */
export type Size = number | `${number}${"B" | "KB" | "MB" | "GB"}`;

/** One of `queues`, when its weight alone does not say it. */
export interface QueueOptions {
  /** Its share of the turns among the queues that a cluster serves, from 1 to 1,000. Default 1. */
  weight?: number | undefined;
  /**
   * `true`: on a Redis Cluster the queue gets a slot of its own, so that its clusters take and wait there and not on the
   * node of the project. Its tasks go through the outbox then, which costs each some calls more (docs/redis.md). Every
   * process of the project has to know it: flags and the environment, which say what a cluster serves, leave it as it is.
   * Without effect, and a note at the start, where there are no slots. Default `false`. Not in Django Q2.
   */
  apart?: boolean | undefined;
}

/**
 * What an application writes in `qluster.config.ts`, or hands to `createQluster`.
 *
 * A duration is a number of milliseconds or a text with a unit (`"30s"`, `"5m"`), everywhere. Flags of the command line
 * and variables of the environment (`QLUSTER_WORKERS`, `QLUSTER_KILL_AFTER` …) go over what stands here.
 * Counterpart in Django Q2: the dictionary `Q_CLUSTER`.
 */
export interface QlusterConfig {
  /**
   * The project. Separates what shares a database, and is under every signature.
   * Environment: `QLUSTER_PROJECT`. Django Q2: `name`.
   */
  name: string;
  /**
   * Where tasks, results and clusters' heartbeats live: `"sqlite:data/qluster.db"`, `"postgres://user:password@host/db"`,
   * `{ postgres: pool }` with a pool that the application has, or `"memory:"` for tests.
   * A relative path starts at `root`. Environment: `QLUSTER_DATABASE`. Django Q2: `orm`, `redis`, `mongo` …
   */
  database: DatabaseOption;
  /**
   * What carries messages, when it is not the database: takes the same forms. The database keeps tasks and results, and stays
   * the truth. Every process of the project needs the same one. Environment: `QLUSTER_BROKER`. Django Q2: `broker_class`.
   */
  broker?: DatabaseOption | undefined;
  /**
   * What keeps short-lived text, when it is not the database: takes the same forms. Environment: `QLUSTER_CACHE`.
   * Django Q2: `cache`.
   */
  cache?: DatabaseOption | undefined;
  /**
   * The queue that a cluster serves, and that tasks without `queue` go to. Default: `name`.
   * Environment: `QLUSTER_NAME`, or Django Q2's `Q_CLUSTER_NAME`. Django Q2: `cluster_name`.
   */
  clusterName?: string | undefined;
  /** The folder that relative paths start from. Default: that of the configuration file, else the working directory. */
  root?: string | URL | undefined;
  /** Modules whose exported functions are tasks, as globs: `["core/**\/*.ts"]`. Default: none. */
  tasks?: readonly string[] | undefined;
  /** Queues this cluster serves, by weight or as a list of equals. Default: the one named `clusterName`. */
  queues?: Readonly<Record<string, number | QueueOptions>> | readonly string[] | undefined;
  /** Worker processes. Default, and 0: as many as the machine has processors. Django Q2: `workers`. */
  workers?: number | undefined;
  /** Tasks that run at once in one worker. Default 1; raise it for tasks that mostly wait. Not in Django Q2. */
  concurrency?: number | undefined;
  /** `"process"` (default) can stop any code; `"thread"` all but native code; `"none"` only code that gives in. */
  isolation?: "process" | "thread" | "none" | undefined;
  /** Child processes of a worker end with it. Default true. Django Q2: `daemonize_workers`. */
  daemonizeWorkers?: boolean | undefined;
  /** How long after its cluster's death a task waits until another takes it. Default `"15s"`. Django Q2: `retry`. */
  lease?: Duration | undefined;
  /** The longest one attempt may take; `null` for no limit. Default `"5m"`. Django Q2: `timeout`, in seconds. */
  timeout?: Duration | null | undefined;
  /** How long a task may go on after its time-out or cancellation before it is killed. Default `"3s"`. */
  killAfter?: Duration | undefined;
  /** How long a stopping cluster lets running tasks finish. Default `"30s"`. */
  grace?: Duration | undefined;
  /** How often a task is tried; 0 for ever. Default 3. Django Q2: `max_attempts`, there 0. */
  attempts?: number | undefined;
  /** How long a failed task waits. Default `{ base: "1s", factor: 2, max: "10m", jitter: 0.5 }`. */
  backoff?: Backoff | undefined;
  /** When hooks run: `"final"` (default), once; `"attempt"`, after each attempt, as in Django Q2. */
  hookOn?: "final" | "attempt" | undefined;
  /** `false`: this cluster fires no schedules. Default true. Django Q2: `scheduler`. */
  scheduler?: boolean | undefined;
  /** The zone of schedules that name none, as an IANA name. Default `"UTC"`. Django Q2: `time_zone`. */
  timeZone?: string | undefined;
  /**
   * What becomes of slots that no cluster could fire in time, for schedules that do not say: `"latest"` (default) makes up
   * for the newest one, `"all"` for each, `"none"` for none. Django Q2: `catch_up`, there true.
   */
  catchUp?: "latest" | "all" | "none" | undefined;
  /** A worker is replaced after so many tasks; 0 for never. Default 50,000. Django Q2: `recycle`, there 500. */
  recycle?: number | undefined;
  /** A worker is replaced when its resident memory reaches this; `null` (default) for never. Django Q2: `max_rss`, in KB. */
  maxRss?: Size | null | undefined;
  /**
   * Processors for each worker: it runs on these only, the next worker on the next ones, going round. 0 (default), or as many
   * as there are: it runs on all. On Linux, by `taskset`; with `isolation: "process"`. Django Q2: `cpu_affinity`.
   */
  cpuAffinity?: number | undefined;
  /** Tasks that a cluster holds in memory, running ones included. Default 1,000. Django Q2: `queue_limit`. */
  queueLimit?: number | undefined;
  /** A task that was handed out so often without an ending fails as poison. Default 20. */
  maxDeliveries?: number | undefined;
  /** How long a task whose name no cluster knows waits for newer code before it fails. Default `"10m"`. */
  unknownFor?: Duration | undefined;
  /** The largest sealed task. Default `"256KB"`. */
  maxMessage?: Size | undefined;
  /** The largest sealed result. Default `"16MB"`. */
  maxResult?: Size | undefined;
  /** How long `asyncTask` tries while the database is away, before it rejects. Default `"10s"`. */
  enqueueTimeout?: Duration | undefined;
  /** Calls of `asyncTask` that may wait for their write at once; the next one is rejected. Default 1,000. */
  maxPending?: number | undefined;
  /** What is kept of finished tasks, and how long. */
  retention?: Retention | undefined;
  /**
   * Results are kept by the cache for so long, or without limit (`true`), where the task does not say; the record is kept
   * without them. Counts for tasks, chains and iterables, not for what schedules make. Default false. Django Q2: `cached`.
   */
  cached?: Duration | boolean | undefined;
  /**
   * `"process"` (default): writes survive the death of every process. `"power"`: a power cut too, at the cost of speed.
   * `{ replicas: n }`: n replicas have them too (Redis).
   */
  durability?: Durability | undefined;
  /** Deflates large tasks and results. Default false. Django Q2: `compress`. */
  compress?: boolean | undefined;
  /** Encrypts arguments and results (AES-256-GCM) with a key from the secret. Default false. */
  encrypt?: boolean | undefined;
  /**
   * Signs tasks and results. Of several the first one signs and all are accepted, so that a secret can be changed without
   * losing what is queued. Default for the embedded database: made once, kept in `.qluster/secret` beside its file. A
   * database server needs one: with `NODE_ENV=production` it must be given, else it is made in `.qluster/secret` under `root`.
   * Environment: `QLUSTER_SECRET`, several separated by spaces. Django Q2: `SECRET_KEY`.
   */
  secret?: string | readonly string[] | undefined;
  /** Runs every task in the process that asks for it, at once. Default false; for tests. Django Q2: `sync`. */
  sync?: boolean | undefined;
  /** `false`: successes leave no record. Default true. Django Q2: `save_limit: -1`. */
  save?: boolean | undefined;
  /** Default `"info"`. Django Q2: `log_level`. */
  logLevel?: "debug" | "info" | "warn" | "error" | "silent" | undefined;
  /** Default: `"pretty"` in a terminal, else `"json"`, one object a line. */
  logFormat?: "pretty" | "json" | undefined;
  /** Takes the log lines of this process instead of the standard error output. */
  logger?: Logger | undefined;
  /** Told of every failed attempt: modules whose default export is a reporter, or reporters. Django Q2: `error_reporter`. */
  errorReporters?: readonly (string | ErrorReporter)[] | undefined;
  /** `"django-q2"`: its values where Qluster's differ, and its names of options (`defineConfig` completes them). */
  preset?: "django-q2" | undefined;
  /** Options that differ for the cluster of that name, chosen by `QLUSTER_NAME` or `--name`. Django Q2: `ALT_CLUSTERS`. */
  altClusters?: Readonly<Record<string, Partial<QlusterConfig>>> | undefined;
}

/** What is kept of finished tasks. `null` stands for "no limit". Counterpart in Django Q2: `save_limit`. */
export interface Retention {
  /** Default `"7d"`. */
  successes?: Duration | null | undefined;
  /** Failed, cancelled and expired tasks. Default `"90d"`. */
  failures?: Duration | null | undefined;
  /** Keeps only so many successes, the newest. Default `null`. Django Q2: `save_limit`, there 250. */
  maxSuccesses?: number | null | undefined;
  /** `maxSuccesses` counts for each group, name or function by itself. Default `null`. Django Q2: `save_limit_per`. */
  per?: "group" | "name" | "func" | null | undefined;
  /** Members of a group stay at least so long after they finished. Default `"1d"`. */
  groupTtl?: Duration | undefined;
}

/** Names of Django Q2 that `preset: "django-q2"` translates. Numbers are seconds there, as in Django Q2. */
export interface DjangoQ2Config extends QlusterConfig {
  preset: "django-q2";
  /** Becomes `lease`, and the wait before another attempt. */
  retry?: number | Duration | undefined;
  /** Becomes `attempts`. */
  maxAttempts?: number | undefined;
  /** `true` becomes `attempts: 1`. */
  ackFailures?: boolean | undefined;
  /** Becomes `retention.maxSuccesses`; 0 keeps all, a negative number none. */
  saveLimit?: number | undefined;
  /** Becomes `retention.per`. */
  saveLimitPer?: "group" | "name" | "func" | null | undefined;
  /** Read and ignored: messages are taken in batches that fit the load. */
  bulk?: number | undefined;
  /** Read and ignored: clusters are woken instead of looking again and again. */
  poll?: number | undefined;
  /** Read and ignored: deadlines are exact. */
  guardCycle?: number | undefined;
}

/**
 * Gives a configuration its type, so that an editor completes it and an unknown option does not compile.
 *
 * @example
 * export default defineConfig({ name: "shop", database: "sqlite:data/qluster.db", tasks: ["core/**\/*.ts"] });
 */
export function defineConfig(config: QlusterConfig | DjangoQ2Config): QlusterConfig {
  return config;
}
