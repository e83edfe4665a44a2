import type { ClusterAddress, RunningTask } from "../../contracts/broker.js";
import type { ErrorRecord } from "../../contracts/store.js";

/** The error of an attempt that ended with its cluster. */
export function clusterLost({ host, pid }: Pick<ClusterAddress, "host" | "pid">): ErrorRecord {
  return {
    name: "ClusterLostError",
    message: `The cluster on ${host} with process id ${pid} stopped renewing its lease while the task ran.`,
    stack: null,
  };
}

/** What a consumer said was running when it last renewed. */
export function runningTasks(text: string): RunningTask[] {
  return JSON.parse(text) as RunningTask[];
}
