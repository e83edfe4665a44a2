import type { Backend } from "../contracts/backend.js";
import type { ScheduleCounts } from "../contracts/schedules.js";
import type { ClusterStatus, MinuteRollup, TaskCounts } from "../contracts/store.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { powerCutSentence } from "./power-cut.js";
import { dayMs, summarize, type Throughput } from "./throughput.js";

/** What `info` tells, before it is text. */
export interface InfoFacts {
  readonly version: string;
  readonly project: string;
  /** Product, version and place of the database. */
  readonly broker: string;
  readonly clusters: readonly ClusterStatus[];
  readonly counts: TaskCounts;
  readonly schedules: ScheduleCounts;
  readonly throughput: Throughput;
  /** Of the clusters that run; of the configuration when none does. */
  readonly isolation: readonly string[];
  readonly push: boolean;
  readonly powerCut: string;
  /** The store's clock, in milliseconds since 1970. */
  readonly now: number;
}

/** Counts are exact up to here. */
export const countCap = 100_000;

/** Asks the store, a handful of queries however many tasks there are. @param only - Leaves other clusters out. */
export async function gatherInfo(
  backend: Backend,
  config: ResolvedConfig,
  options: { readonly version: string; readonly only?: string | undefined },
): Promise<InfoFacts> {
  const { broker, store } = backend;
  const { now, all, counts, schedules, day, place } = (await hasTables(backend))
    ? await read(backend)
    : nothing(config);
  const clusters = options.only === undefined ? all : all.filter((cluster) => cluster.name === options.only);
  const isolation = clusters.length === 0 ? [config.isolation] : [...new Set(clusters.map((each) => each.isolation))];
  return {
    version: options.version,
    project: config.name,
    broker: place,
    clusters,
    counts,
    schedules,
    throughput: summarize(day),
    isolation,
    push: broker.capabilities.push,
    powerCut:
      (await backend.losses?.()) ??
      powerCutSentence({ shared: store.capabilities.shared, durability: config.durability }),
    now,
  };
}

interface StoreFacts {
  readonly now: number;
  readonly all: readonly ClusterStatus[];
  readonly counts: TaskCounts;
  readonly schedules: ScheduleCounts;
  readonly day: readonly MinuteRollup[];
  readonly place: string;
}

async function read({ store, broker }: Backend): Promise<StoreFacts> {
  const now = await store.now();
  const [all, counts, schedules, day, place] = await Promise.all([
    store.clusters(),
    store.counts(countCap),
    store.schedules.counts(countCap),
    store.throughput(now - dayMs),
    broker.info(),
  ]);
  return { now, all, counts, schedules, day, place };
}

/** Looking must not create anything. */
async function hasTables({ schema }: Backend): Promise<boolean> {
  const { version, wanted } = await schema.status();
  return version > 0 || wanted === 0;
}

function nothing({ shown }: ResolvedConfig): StoreFacts {
  const counts = { queued: 0, running: 0, succeeded: 0, failed: 0 };
  return {
    now: Date.now(),
    all: [],
    counts,
    schedules: { all: 0, paused: 0, broken: 0, nextRun: null },
    day: [],
    place: `${shown.get("database") ?? "a database"} (no tables yet)`,
  };
}

/** Somebody is there to run tasks: at least one cluster says that it is idle or working. */
export function isHealthy(clusters: readonly ClusterStatus[]): boolean {
  return clusters.some(({ status }) => status === "Idle" || status === "Working");
}
