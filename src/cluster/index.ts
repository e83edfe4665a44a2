export { createCluster } from "./cluster.js";
export type { Cluster, ClusterProgress, StopReport } from "./cluster.js";
export { openLogger } from "./logger.js";
