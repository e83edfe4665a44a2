export type { Cluster, StopReport } from "./cluster.js";
export type { ClusterProgress } from "./endings.js";
export { openLogger } from "./logger.js";
export { createCluster } from "./supervisor.js";
