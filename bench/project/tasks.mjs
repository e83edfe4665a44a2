import { appendFileSync } from "node:fs";
import { signals } from "qluster";

// Each worker says when it is up, so that a measurement can begin there.
signals.postSpawn.connect(() => appendFileSync(process.env.BENCH_READY, `${Date.now()}\n`));

/** Does nothing; what is measured is the queue. */
export async function noop(order) {
  return { customer: order.customer, ok: true };
}

/** When it was entered, in milliseconds since 1970. */
export async function entered() {
  return performance.timeOrigin + performance.now();
}
