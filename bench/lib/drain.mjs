import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A drain that takes longer than this has failed, in milliseconds. */
const patienceMs = 240_000;

/**
 * Resolves once nothing is left in the queue. Looks there only after the last task in line has been entered: until then,
 * to ask would cost the server what is being measured.
 */
export async function drained(mark, left) {
  const until = performance.now() + patienceMs;
  const stillTime = (what) => {
    if (performance.now() > until) throw new Error(`${what} within ${patienceMs / 1_000} s.`);
  };
  while (!existsSync(mark)) {
    stillTime("The last task was not entered");
    await sleep(2);
  }
  while ((await left()) > 0) {
    stillTime("The queue was not empty");
    await sleep(2);
  }
}
