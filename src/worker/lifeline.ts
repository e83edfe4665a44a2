// Runs in a thread of each worker process: kills the worker when its supervisor is gone or has fallen silent.
import { Socket } from "node:net";
import { workerData } from "node:worker_threads";

const { descriptor, silenceMs } = workerData as { descriptor: number; silenceMs: number };
const lookEveryMs = Math.min(500, silenceMs / 4);

let lastBeat = performance.now();
let lastLook = lastBeat;

listen();
setInterval(look, lookEveryMs);

/** The supervisor writes a byte now and then; the pipe ends when it dies, however it dies. */
function listen(): void {
  const pipe = new Socket({ fd: descriptor, readable: true, writable: false });
  pipe.on("data", () => (lastBeat = performance.now()));
  pipe.on("error", end);
  pipe.on("close", end);
}

function look(): void {
  const now = performance.now();
  // This thread itself stood still (the whole tree was stopped): the silence proves nothing about the supervisor.
  if (now - lastLook > 4 * lookEveryMs) lastBeat = now;
  lastLook = now;
  if (now - lastBeat > silenceMs) end();
}

/** With everything the task has started: the worker leads a process group of its own. */
function end(): void {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.kill(process.pid, "SIGKILL");
  }
}
