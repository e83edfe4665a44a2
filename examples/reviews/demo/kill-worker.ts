import { setTimeout as sleep } from "node:timers/promises";
import type { Qluster } from "qluster";

/** A worker that was killed, and the task that ran in it at that moment. */
export interface Killed {
  readonly pid: number;
  readonly task: string;
}

const tries = 10;
/** How long the cluster has to put an attempt on record, in milliseconds: it does so at once, and the work goes on meanwhile. */
const noticeMs = 500;

/**
 * Kills one worker with SIGKILL while a task runs in it. Between two tasks, and in a notice to a client, a worker dies without
 * a trace among these tasks, so this looks for the attempt on record, and kills the next one when there is none.
 *
 * @param tasks - The tasks in which the attempt may be.
 * @returns `undefined` when all were done before one could be hit.
 */
export async function killOneWorker(queue: Qluster, tasks: () => readonly string[]): Promise<Killed | undefined> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const pid = await someWorker(queue);
    if (pid === undefined) return undefined;
    process.kill(pid, "SIGKILL");
    const task = await onRecord(queue, tasks, pid);
    if (task !== undefined) return { pid, task };
  }
  return undefined;
}

async function someWorker(queue: Qluster): Promise<number | undefined> {
  const workers = (await queue.clusters()).flatMap((cluster) => cluster.workers);
  const alive = workers.filter(({ pid }) => isAlive(pid));
  return (alive.find(({ state }) => state === "busy") ?? alive[0])?.pid;
}

async function onRecord(queue: Qluster, tasks: () => readonly string[], pid: number): Promise<string | undefined> {
  const until = performance.now() + noticeMs;
  while (performance.now() < until) {
    for (const task of tasks()) {
      const attempts = await queue.attempts(task);
      if (attempts.some(({ ending, worker }) => ending === "died" && worker.endsWith(`:${pid}`))) return task;
    }
    await sleep(50);
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
