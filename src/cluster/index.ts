export type { Cluster, StopReport } from "./cluster.js";
export type { ClusterProgress } from "./endings.js";
export { startCluster } from "./start-cluster.js";
export type { StartClusterOptions } from "./start-cluster.js";
