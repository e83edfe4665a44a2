import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How many tasks run when the cluster is killed. */
export const held = 10;
const patienceMs = 200_000;

/** Resolves to the times at which tasks were entered, once there are `count` of them. */
export async function entries(mark, count) {
  const until = performance.now() + patienceMs;
  for (;;) {
    const lines = existsSync(mark) ? readFileSync(mark, "utf8").trim().split("\n") : [];
    if (lines.length >= count) return lines.map((line) => Number(line.split(" ")[1]));
    if (performance.now() > until) throw new Error(`${lines.length} of ${count} tasks were entered in time.`);
    await sleep(10);
  }
}

/**
 * How long after `since` the tasks that had run were entered again, in seconds.
 *
 * @param {readonly number[]} times - All entries, the first of each task too.
 */
export function retries(times, since) {
  const again = times.slice(held).map((time) => Math.max(0, (time - since) / 1_000));
  return { first: Math.min(...again), last: Math.max(...again) };
}
