import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { formatDuration } from "../core/duration.js";
import { ConfigError } from "../errors.js";
import type { QlusterConfig } from "./config.js";
import { completeConfig } from "./complete.js";
import { readDatabase, showDatabase } from "./database.js";
import { djangoQ2Values, translateDjangoQ2 } from "./django-q2.js";
import { strangeVariables, type Environment } from "./environment.js";
import {
  checkAltClusters,
  checkKeys,
  environmentLayer,
  find,
  flagLayer,
  objectLayer,
  readPlain,
  type Layer,
} from "./layers.js";
import { isRecord } from "./nested.js";
import { plainOptions, type addressOptions, type PlainValues } from "./option-table.js";
import { Problems } from "./problems.js";
import { apartQueues } from "./queues.js";
import { isRedisCluster } from "./redis-address.js";
import type { DatabaseAddress, ResolvedConfig, ValueSource } from "./resolved.js";

export interface ConfigSources {
  /** Options of the command line. */
  readonly flags?: Partial<QlusterConfig> | undefined;
  /** Default: that of the process. */
  readonly env?: Environment | undefined;
  /** Absolute path of the file that the configuration was read from. */
  readonly configFile?: string | undefined;
  /** Where relative paths start. Default: the folder of `configFile`, else the working directory. */
  readonly root?: string | undefined;
}

/**
 * Checks a configuration as a whole and completes it. Flags go over the environment, that over the file, that over
 * defaults.
 *
 * @throws {ConfigError} that lists every problem, each with its path, the value, what was expected and what to do.
 */
export function resolveConfig(config: QlusterConfig, sources: ConfigSources = {}): ResolvedConfig {
  const problems = new Problems();
  const notes: string[] = [];
  if (!isRecord(config)) {
    throw new ConfigError([
      'the configuration is not an object; write defineConfig({ name: "shop", database: "sqlite:data/qluster.db" })',
    ]);
  }
  const env = sources.env ?? process.env;
  const layers = layersOf(config, { ...sources, env }, problems, notes);
  const root = rootOf(find(layers, "root")?.value, sources, problems);
  const { values, sources: origins } = readPlain(layers, problems);
  if (origins.get("name") === "default") {
    problems.wrong(
      "name",
      undefined,
      plainOptions.name.reader.expects,
      "Give the project a name, here or with QLUSTER_PROJECT.",
    );
  }
  const database = addressOf("database", layers, root, origins, problems);
  const broker = roleOf("broker", database, layers, root, origins, problems);
  const cache = roleOf("cache", database, layers, root, origins, problems);
  if (database === undefined || problems.lines.length > 0) throw new ConfigError(problems.lines);
  const apart = apartQueues(config);
  const hasSlots = broker === null && isRedisCluster(database);
  if (apart.length > 0 && !hasSlots) notes.push(needlessApart(apart, database, broker));
  notes.push(...strangeVariables(env), ...unservedQueue(values, origins), ...endlessTasks(values));
  return completeConfig(values, {
    database,
    broker,
    cache,
    apartQueues: hasSlots ? apart : [],
    root,
    configFile: sources.configFile ?? null,
    preset: config.preset ?? null,
    origins,
    notes,
    production: env["NODE_ENV"] === "production",
  });
}

function layersOf(
  config: Readonly<Record<string, unknown>>,
  sources: ConfigSources & { readonly env: Environment },
  problems: Problems,
  notes: string[],
): Layer[] {
  const preset = config["preset"];
  if (preset !== undefined && preset !== "django-q2") problems.wrong("preset", preset, '"django-q2"');
  const translate = (object: Readonly<Record<string, unknown>>): Partial<QlusterConfig> =>
    preset === "django-q2" ? translateDjangoQ2(object, problems, notes) : object;

  const file = translate(config);
  checkKeys(file, "", problems);
  const above = [flagLayer(sources.flags ?? {}), environmentLayer(sources.env)];
  const layers = [...above, ...altLayers(config, find(above, "clusterName")?.value, translate, problems)];
  layers.push(objectLayer("file", file));
  if (preset === "django-q2") {
    const workers = Number(find(layers, "workers")?.value ?? 0);
    layers.push(objectLayer("preset", djangoQ2Values(workers > 0 ? workers : availableParallelism())));
  }
  return layers;
}

/** The overrides of the cluster that flags or environment name. `name` and `clusterName` there count for nothing. */
function altLayers(
  config: Readonly<Record<string, unknown>>,
  chosen: unknown,
  translate: (object: Readonly<Record<string, unknown>>) => Partial<QlusterConfig>,
  problems: Problems,
): Layer[] {
  const alt = config["altClusters"];
  if (!checkAltClusters(alt, problems)) return [];
  return Object.entries(alt).flatMap(([clusterName, overrides]) => {
    const prefix = `altClusters.${clusterName}.`;
    const { name: _, clusterName: __, ...translated } = translate(overrides as Readonly<Record<string, unknown>>);
    checkKeys(translated, prefix, problems);
    const layer = objectLayer("file", translated, prefix);
    const isOwn = clusterName === config["name"] || clusterName === config["clusterName"];
    if (clusterName === chosen && !isOwn) return [layer];
    // Not the cluster that starts now, but a fault in it is better known today.
    readPlain([layer], problems);
    return [];
  });
}

function rootOf(given: unknown, sources: ConfigSources, problems: Problems): string {
  const base = sources.root ?? (sources.configFile === undefined ? process.cwd() : dirname(sources.configFile));
  if (given === undefined) return resolve(base);
  if (given instanceof URL || (typeof given === "string" && given.startsWith("file:"))) return fileURLToPath(given);
  if (typeof given === "string" && given.trim() !== "") return resolve(base, given);
  problems.wrong("root", given, "a folder, such as import.meta.dirname");
  return base;
}

function addressOf(
  option: (typeof addressOptions)[number],
  layers: readonly Layer[],
  root: string,
  origins: Map<string, ValueSource>,
  problems: Problems,
): DatabaseAddress | undefined {
  const found = find(layers, option);
  origins.set(option, found?.source ?? "default");
  return readDatabase(found?.value, found?.path ?? option, root, problems);
}

/** `null`: the database has this role too. */
function roleOf(
  option: "broker" | "cache",
  database: DatabaseAddress | undefined,
  layers: readonly Layer[],
  root: string,
  origins: Map<string, ValueSource>,
  problems: Problems,
): DatabaseAddress | null {
  origins.set(option, "default");
  if (find(layers, option) === undefined) return null;
  const address = addressOf(option, layers, root, origins, problems);
  if (address === undefined || database === undefined) return null;
  const { scheme, location, client } = address;
  const isSame = scheme === database.scheme && location === database.location && client === database.client;
  return isSame ? null : address;
}

/** Nothing is lost by it, and the same configuration may be used with a Redis Cluster elsewhere. */
function needlessApart(queues: readonly string[], database: DatabaseAddress, broker: DatabaseAddress | null): string {
  const why =
    broker === null
      ? `only a Redis Cluster has slots, and database is ${showDatabase(database)}`
      : `the broker carries all queues, ${showDatabase(broker)}`;
  return `apart: true (${queues.join(", ")}) has no effect: ${why}.`;
}

/** Django Q2's warning at the start. A time-out above the lease is no fault here: leases are renewed while a task runs. */
function endlessTasks({ timeout, lease }: PlainValues): string[] {
  if (timeout !== null) return [];
  return [
    `timeout is null (no limit), and a lease of ${formatDuration(lease)} is renewed while its task runs: one that hangs keeps its ` +
      "place in a worker for ever. Give a time-out, here or to the task.",
  ];
}

/** The queue of tasks without `queue`, when this cluster leaves it to others. On the command line that is meant. */
function unservedQueue(values: PlainValues, origins: ReadonlyMap<string, ValueSource>): string[] {
  const home = values.clusterName ?? values.name;
  if (values.queues === null || values.queues.has(home) || origins.get("queues") === "flag") return [];
  return [
    `queues does not name "${home}", where tasks without a queue go: another cluster has to serve it, or add it to queues.`,
  ];
}
