import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, readSync, unlinkSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { markBytes, parseMarks } from "../core/start-marks.js";
import type { FromWorker } from "../contracts/frames.js";
import type { OpenChannel } from "./channel.js";

const workerFile = fileURLToPath(new URL("../worker/process-main.js", import.meta.url));
const lifeline = 5;
/** A process title has as much room as the command line had. The worker takes this out again. */
const roomForTitle = `--title=${"qluster worker".padEnd(240)}`;

/** A worker in a process of its own: keeps every promise. */
export const openProcess: OpenChannel = ({ places, ownGroup, processors }, events) => {
  const marks = openMarksFile(places);
  const child = fork(workerFile, [], {
    stdio: ["ignore", "inherit", "inherit", "ipc", marks, "pipe"],
    serialization: "json",
    detached: ownGroup,
    ...program([...process.execArgv.filter((argument) => !argument.startsWith("--inspect")), roomForTitle], processors),
  });
  const pipe = (child.stdio as readonly unknown[])[lifeline] as Writable;
  // Its far end goes away with the worker; the exit event says so.
  pipe.on("error", () => {});

  let ended = false;
  const end = (code: number | null, signal: string | null): void => {
    if (ended) return;
    ended = true;
    // The rest of a group may have outlived its leader.
    if (ownGroup) killGroup(child);
    events.exit({ code, signal });
    closeSync(marks);
  };
  child.on("message", (frame) => events.frame(frame as FromWorker));
  child.on("error", (error) => {
    if (child.pid === undefined) end(null, error.message);
  });
  child.on("exit", end);

  const bytes = Buffer.alloc(places * markBytes);
  return {
    pid: child.pid ?? 0,
    send: (frame) => {
      if (child.connected) child.send(frame, ignoreError);
    },
    marks: () => {
      readSync(marks, bytes, 0, bytes.length, 0);
      return parseMarks(bytes, places);
    },
    beat: () => {
      // A full pipe has beats enough in it.
      if (pipe.writableLength === 0) pipe.write(".");
    },
    kill: () => {
      if (!ownGroup || !killGroup(child)) child.kill("SIGKILL");
    },
    rssBytes: () => rssOf(child.pid),
  };
};

function program(execArgv: string[], processors?: readonly number[]): { execPath: string; execArgv: string[] } {
  const { execPath } = process;
  if (processors === undefined) return { execPath, execArgv };
  return { execPath: "taskset", execArgv: ["-c", processors.join(","), execPath, ...execArgv] };
}

/** The file has no name any more once the worker has inherited it, so nothing is left behind after a crash. */
function openMarksFile(places: number): number {
  const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const path = join(folder, `qluster-${process.pid}-${randomUUID()}`);
  const descriptor = openSync(path, "wx+", 0o600);
  ftruncateSync(descriptor, places * markBytes);
  unlinkSync(path);
  return descriptor;
}

function killGroup(child: ChildProcess): boolean {
  if (child.pid === undefined) return false;
  try {
    process.kill(-child.pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

function rssOf(pid: number | undefined): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1_024;
  } catch {
    return 0;
  }
}

// A worker that has just died cannot take a frame; its exit is handled where exits are.
function ignoreError(): void {}
