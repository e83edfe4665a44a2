import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../cluster/index.js";
import type { Backlog } from "./backlog.js";
import type { ProgressBar } from "./progress-bar.js";

export type FinishableCluster = Pick<Cluster, "drained" | "stopped" | "stop" | "progress">;

const lookEveryMs = 50;
const drawEveryMs = 250;

/**
 * Lets a started cluster do what there is to do, then stops it.
 *
 * @param until - `"drained"`: nothing is left, retries that are due soon included. A number: as many tasks as were there
 *   in the beginning have been tried.
 */
export async function finishWork(
  cluster: FinishableCluster,
  backlog: Pick<Backlog, "unfinished">,
  until: "drained" | number,
  bar: ProgressBar | undefined,
): Promise<void> {
  const work = new AbortController();
  const ends = [cluster.drained(), cluster.stopped];
  if (until !== "drained") ends.push(tried(cluster, until, work.signal));
  const drawing = bar === undefined ? undefined : draw(cluster, backlog, bar, work.signal);
  await Promise.race(ends);
  work.abort();
  await drawing;
  await cluster.stop();
}

async function tried(cluster: FinishableCluster, wanted: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { done, retried } = cluster.progress();
    if (done + retried >= wanted) return;
    await sleep(lookEveryMs);
  }
}

async function draw(
  cluster: FinishableCluster,
  backlog: Pick<Backlog, "unfinished">,
  bar: ProgressBar,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await drawOnce(cluster, backlog, bar);
    await sleep(drawEveryMs, undefined, { signal }).catch(() => {});
  }
  await drawOnce(cluster, backlog, bar);
}

async function drawOnce(
  cluster: FinishableCluster,
  backlog: Pick<Backlog, "unfinished">,
  bar: ProgressBar,
): Promise<void> {
  // A store that is away for a moment costs a picture, not the work; the cluster's log tells of it.
  const left = await backlog.unfinished().catch(() => undefined);
  const counts = cluster.progress();
  if (left !== undefined) bar.update({ ...counts, total: counts.done + left });
}
