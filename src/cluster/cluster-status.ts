import { hostname } from "node:os";
import type { ClusterState, ClusterStatus } from "../contracts/store.js";
import { packageVersion } from "../options/package-version.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Pool } from "./pool.js";

export interface StatusParts {
  readonly config: ResolvedConfig;
  readonly pool: Pool;
  readonly id: string;
  readonly tob: number;
  readonly state: ClusterState;
  /** Results that are not stored yet. */
  readonly unstored: number;
}

/** What a cluster says of itself. Counterpart in Django Q2: `Sentinel.status` and `Stat`; there a running task reads as idle. */
export function clusterStatus({ config, pool, id, tob, state, unstored }: StatusParts): ClusterStatus {
  const working = state === "Idle" && pool.held + unstored > 0;
  return {
    clusterId: id,
    name: config.clusterName,
    host: hostname(),
    pid: process.pid,
    tob,
    timestamp: Date.now(),
    status: working ? "Working" : state,
    queues: [...config.queues.keys()],
    workers: pool.workers,
    reincarnations: pool.reincarnations,
    taskQueueSize: pool.reserve.size,
    doneQueueSize: unstored,
    running: pool.running(),
    tasks: pool.tasks,
    isolation: config.isolation,
    version: packageVersion(),
    rssBytes: process.memoryUsage.rss(),
  };
}
