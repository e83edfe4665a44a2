import type { ClusterStatus } from "../contracts/store.js";

/** What is said of a cluster that nobody hears of. Counterpart in Django Q2: what `Stat.get` gives for an unknown id. */
export function stoppedCluster(clusterId: string, now: number): ClusterStatus {
  return {
    clusterId,
    name: "",
    host: "",
    pid: 0,
    tob: now,
    timestamp: now,
    status: "Stopped",
    queues: [],
    workers: [],
    reincarnations: 0,
    taskQueueSize: 0,
    doneQueueSize: 0,
    running: [],
    tasks: [],
    isolation: "",
    version: "",
    rssBytes: 0,
  };
}
