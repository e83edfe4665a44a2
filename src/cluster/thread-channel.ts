import { Worker } from "node:worker_threads";
import type { FromWorker } from "../contracts/frames.js";
import { markBytes, parseMarks } from "../core/start-marks.js";
import type { OpenChannel } from "./channel.js";

/** A worker in a thread: lighter, but a native crash or a blocking native call takes the cluster with it. */
export const openThread: OpenChannel = ({ places }, events) => {
  const marks = new SharedArrayBuffer(places * markBytes);
  const thread = new Worker(new URL("../worker/thread-main.js", import.meta.url), { workerData: { marks } });
  let failure: string | null = null;
  thread.on("message", (frame: FromWorker) => events.frame(frame));
  // Out of memory and the like; `exit` follows.
  thread.on("error", (error) => (failure = error.message));
  thread.on("exit", (code) => events.exit({ code, signal: failure }));

  return {
    pid: process.pid,
    send: (frame) => thread.postMessage(frame),
    marks: () => parseMarks(new Uint8Array(marks), places),
    beat: () => {},
    kill: () => void thread.terminate(),
    rssBytes: () => 0,
  };
};
