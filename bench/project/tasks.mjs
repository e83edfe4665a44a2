import { appendFileSync } from "node:fs";
import { signals } from "qluster";

// Each worker says when it is up, so that a measurement can begin there.
signals.postSpawn.connect(() => appendFileSync(process.env.BENCH_READY, `${Date.now()}\n`));

export { entered, held, noop } from "../lib/bodies.mjs";
