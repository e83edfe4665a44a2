/** What clusters and workers say, in the words of Django Q2's log, so that existing searches keep finding their lines. */
export const logMessages = {
  starting: (cluster: string): string => `Q Cluster ${cluster} starting.`,
  ready: (worker: string, pid: number): string => `${worker} ready for work at ${pid}`,
  monitoring: (part: string, pid: number): string => `${part} monitoring at ${pid}`,
  guarding: (part: string, cluster: string, queues: readonly string[]): string =>
    `${part} guarding cluster ${cluster} [${queues.join(", ")}]`,
  pushing: (part: string, pid: number): string => `${part} pushing tasks at ${pid}`,
  running: (cluster: string): string => `Q Cluster ${cluster} running.`,

  enqueued: (queue: string, id: string): string => `Enqueued [${queue}] ${id}`,
  processing: (worker: string, name: string, func: string, group?: string | null): string =>
    `${worker} processing ${name} '${func}'${group ? ` [${group}]` : ""}`,
  processed: (name: string): string => `Processed [${name}]`,
  failed: (name: string, message: string): string => `Failed [${name}] - ${message}`,
  hookFailed: (hook: string, task: string, message: string): string =>
    `return hook ${hook} failed on [${task}] because ${message}`,
  hookUnknown: (hook: string, task: string, message: string): string =>
    `malformed return hook '${hook}' for [${task}]: ${message}`,
  scheduled: (part: string, task: string, schedule: string): string =>
    `${part} created task ${task} from schedule [${schedule}]`,
  notScheduled: (part: string, schedule: string, message: string): string =>
    `${part} failed to create a task from schedule [${schedule}]: ${message}`,
  recycled: (worker: string): string => `recycled worker ${worker}`,
  reincarnated: (worker: string, cause: string): string => `reincarnated worker ${worker} after ${cause}`,

  stopping: (cluster: string): string => `Q Cluster ${cluster} stopping.`,
  stoppingProcesses: (part: string): string => `${part} stopping cluster processes`,
  stoppedPushing: (part: string): string => `${part} stopped pushing tasks`,
  stoppedWork: (worker: string): string => `${worker} stopped doing work`,
  waitingForMonitor: (part: string): string => `${part} waiting for the monitor.`,
  stoppedMonitoring: (part: string): string => `${part} stopped monitoring results`,
  stopped: (cluster: string): string => `Q Cluster ${cluster} has stopped.`,
} as const;
