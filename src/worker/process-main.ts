// What `fork` starts: a worker in a process of its own.
import { writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { FromWorker } from "../contracts/frames.js";
import { packFromWorker, unpackToWorker, type PackedToWorker } from "../core/frame-rows.js";
import { fileMarks } from "../core/start-marks.js";
import { bootWorker, currentExecution } from "./boot.js";
import { monotonic } from "./monotonic.js";
import type { WorkerRuntime } from "./runtime.js";

/** Descriptors that the supervisor opens for us, after stdin, stdout, stderr and the channel. */
const marksDescriptor = 4;
const lifelineDescriptor = 5;

// Made room for our title, and is nothing for what tasks fork.
process.execArgv = process.execArgv.filter((argument) => !argument.startsWith("--title="));

let runtime: WorkerRuntime | undefined;
let unsent = 0;
let leaving = false;

function send(frame: FromWorker): void {
  if (!process.connected) return;
  unsent += 1;
  process.send!(packFromWorker(frame), undefined, undefined, sent);
}

function sent(): void {
  unsent -= 1;
  if (leaving && unsent === 0) process.exit(0);
}

/** Not before the supervisor has everything: what is still in a buffer would be lost with the process. */
function leave(): void {
  leaving = true;
  if (unsent === 0) process.exit(0);
}

function stray(error: unknown): void {
  const answer = runtime?.stray(error, currentExecution()) ?? "unknown";
  if (answer === "handled") return;
  runtime?.flush();
  console.error("An error that belongs to no single task; the worker is replaced:", error);
  process.exit(1);
}

process.on("unhandledRejection", stray);
process.on("uncaughtException", stray);
process.on("exit", () => runtime?.flush());
// The supervisor decides when a worker ends; a signal to the whole process group must not end it first.
process.on("SIGTERM", () => {});
process.on("SIGINT", () => {});

bootWorker({
  port: {
    send,
    leave,
    onFrame: (listener) =>
      void process.on("message", (packed: PackedToWorker) => {
        const frame = unpackToWorker(packed);
        if (frame.t === "init") watchLifeline(frame.init.silenceMs);
        listener(frame);
      }),
    setTitle: (title) => {
      process.title = title;
    },
    rssBytes: () => process.memoryUsage.rss(),
  },
  openMarks: () => fileMarks((bytes, offset) => void writeSync(marksDescriptor, bytes, 0, bytes.length, offset)),
  now: Date.now,
  monotonic,
  started: (started) => {
    runtime = started;
  },
});

/** A thread of its own, because the main one may be in `while (true) {}` when the supervisor dies. */
function watchLifeline(silenceMs: number): void {
  const watcher = new Worker(new URL("./lifeline.js", import.meta.url), {
    workerData: { descriptor: lifelineDescriptor, silenceMs },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    execArgv: [],
    stdout: false,
    stderr: false,
  });
  watcher.unref();
}
