// What a `Worker` of node:worker_threads starts: a worker in a thread of the cluster's process.
import { parentPort, workerData } from "node:worker_threads";
import type { FromWorker, ToWorker } from "../contracts/frames.js";
import { sharedMarks } from "../core/start-marks.js";
import { monotonic } from "./monotonic.js";
import { bootWorker, currentExecution } from "./boot.js";
import type { WorkerRuntime } from "./runtime.js";

const port = parentPort!;
const { marks } = workerData as { marks: SharedArrayBuffer };
let runtime: WorkerRuntime | undefined;

function stray(error: unknown): void {
  const answer = runtime?.stray(error, currentExecution()) ?? "unknown";
  if (answer === "handled") return;
  runtime?.flush();
  process.exit(1);
}

process.on("unhandledRejection", stray);
process.on("uncaughtException", stray);
process.on("exit", () => runtime?.flush());

bootWorker({
  port: {
    send: (frame: FromWorker) => port.postMessage(frame),
    onFrame: (listener) => void port.on("message", (frame: ToWorker) => listener(frame)),
    setTitle: () => {},
    rssBytes: () => process.memoryUsage().heapTotal,
    // What was posted has been handed over; what a task left behind must not keep the thread.
    leave: () => process.exit(0),
  },
  openMarks: () => sharedMarks(new Uint8Array(marks)),
  now: Date.now,
  monotonic,
  started: (started) => {
    runtime = started;
  },
});
