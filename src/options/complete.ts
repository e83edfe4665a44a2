import { availableParallelism } from "node:os";
import { showDatabase } from "./database.js";
import { plainOptions, type PlainValues } from "./option-table.js";
import type { DatabaseAddress, ResolvedConfig, ValueSource } from "./resolved.js";
import { defaultSecret } from "./default-secret.js";

/** What a configuration needs beside its plain options. */
export interface Surroundings {
  readonly database: DatabaseAddress;
  readonly broker: DatabaseAddress | null;
  readonly cache: DatabaseAddress | null;
  /** Queues with a slot of their own. */
  readonly apartQueues: readonly string[];
  readonly root: string;
  readonly configFile: string | null;
  readonly preset: "django-q2" | null;
  readonly origins: Map<string, ValueSource>;
  readonly notes: readonly string[];
  /** The environment says that this is no try-out: a server's secret must be given. */
  readonly production: boolean;
}

/** Puts the checked parts together: derived defaults, milliseconds and bytes, what `config print` shows. */
export function completeConfig(values: PlainValues, around: Surroundings): ResolvedConfig {
  const { database, broker, cache, root, configFile, preset, origins, notes, production } = around;
  const clusterName = values.clusterName ?? values.name;
  const queues = values.queues ?? new Map([[clusterName, 1]]);
  const workers = values.workers === 0 ? availableParallelism() : values.workers;
  const logFormat = values.logFormat ?? (process.stderr.isTTY ? "pretty" : "json");
  const shown = shownValues({ ...values, clusterName, queues, workers, logFormat }, around);
  const { retention, backoff } = values;
  let secrets = values.secret;
  return Object.freeze<ResolvedConfig>({
    name: values.name,
    clusterName,
    root,
    configFile,
    database: Object.freeze(database),
    broker: Object.freeze(broker),
    cache: Object.freeze(cache),
    tasks: values.tasks,
    queues,
    apartQueues: around.apartQueues,
    workers,
    concurrency: values.concurrency,
    isolation: values.isolation,
    daemonizeWorkers: values.daemonizeWorkers,
    leaseMs: values.lease,
    timeoutMs: values.timeout,
    killAfterMs: values.killAfter,
    graceMs: values.grace,
    attempts: values.attempts,
    backoff: { baseMs: backoff.base, factor: backoff.factor, maxMs: backoff.max, jitter: backoff.jitter },
    hookOn: values.hookOn,
    scheduler: values.scheduler,
    timeZone: values.timeZone,
    catchUp: values.catchUp,
    preset,
    recycle: values.recycle,
    maxRssBytes: values.maxRss,
    cpuAffinity: values.cpuAffinity,
    queueLimit: values.queueLimit,
    maxDeliveries: values.maxDeliveries,
    unknownForMs: values.unknownFor,
    maxMessageBytes: values.maxMessage,
    maxResultBytes: values.maxResult,
    enqueueTimeoutMs: values.enqueueTimeout,
    maxPending: values.maxPending,
    retention: {
      successesMs: retention.successes,
      failuresMs: retention.failures,
      successesCount: retention.maxSuccesses,
      per: retention.per,
      groupMs: retention.groupTtl,
    },
    cachedMs: values.cached === true ? null : values.cached === false ? undefined : values.cached,
    durability: values.durability,
    compress: values.compress,
    encrypt: values.encrypt,
    // Read on first use: commands that sign nothing must run where no secret can be read, or made.
    get secrets() {
      return (secrets ??= [defaultSecret(database, { root, production })]);
    },
    sync: values.sync,
    save: values.save,
    logLevel: values.logLevel,
    logFormat,
    logger: values.logger,
    errorReporters: values.errorReporters,
    sources: origins,
    shown,
    notes,
  });
}

function shownValues(values: PlainValues, { database, broker, cache, apartQueues }: Surroundings): Map<string, string> {
  const shown = new Map([
    ["database", showDatabase(database)],
    ["broker", showRole(broker)],
    ["cache", showRole(cache)],
  ]);
  for (const option of Object.keys(plainOptions) as (keyof PlainValues)[])
    shown.set(option, show(option, values[option]));
  if (apartQueues.length > 0) shown.set("queues", `${shown.get("queues")}; apart: ${apartQueues.join(", ")}`);
  return shown;
}

function showRole(address: DatabaseAddress | null): string {
  return address === null ? "the database" : showDatabase(address);
}

function show<K extends keyof PlainValues>(option: K, value: PlainValues[K]): string {
  return plainOptions[option].reader.show(value);
}
