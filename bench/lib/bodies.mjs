// What the tasks do, the same for every system.
import { appendFileSync } from "node:fs";

/** Does nothing; what is measured is the queue. The last one in line leaves a mark, so that nobody has to ask all the time. */
export async function noop(order) {
  if (order.mark !== undefined) appendFileSync(order.mark, "last\n");
  return { customer: order.customer, ok: true };
}

/** When it was entered, in milliseconds since 1970. */
export async function entered() {
  return performance.timeOrigin + performance.now();
}

/** Writes down that it was entered; then, in a cluster that will be killed (`BENCH_HOLD`), never ends. */
export async function held(order) {
  appendFileSync(order.mark, `${order.customer} ${Date.now()}\n`);
  if (process.env.BENCH_HOLD === "1") await new Promise(() => setInterval(() => {}, 60_000));
}
