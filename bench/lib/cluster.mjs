import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { dist, secret } from "./backend.mjs";
import { tree } from "./processes.mjs";

const config = fileURLToPath(new URL("../project/qluster.config.mjs", import.meta.url));
const workers = 2;
const patienceMs = 30_000;

/**
 * Starts a real cluster of two workers by its command. It logs warnings only; the peers get silent loggers.
 *
 * @param {{ database: string, folder: string }} place
 * @param {{ isolation?: string, flags?: readonly string[], env?: NodeJS.ProcessEnv }} options
 */
export function startCluster({ database, folder }, { isolation = "process", flags = [], env = {} } = {}) {
  const readyFile = join(folder, `ready-${performance.now()}`);
  const fixed = ["--config", config, "--workers", String(workers), "--isolation", isolation, "--log-level", "warn"];
  const child = spawn(process.execPath, [join(dist, "cli", "main.js"), "cluster", ...fixed, ...flags], {
    env: { ...process.env, QLUSTER_DATABASE: database, QLUSTER_SECRET: secret, BENCH_READY: readyFile, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = [];
  child.stderr.on("data", (chunk) => said.push(chunk));
  const exited = once(child, "close");
  const failed = (what) => new Error(`The cluster ${what}:\n${Buffer.concat(said).toString()}`);
  // Its workers end with it.
  const last = () => child.kill("SIGKILL");
  process.once("exit", last);
  void exited.then(() => process.off("exit", last));

  // Without isolation tasks run in the cluster's own process, which is then the one worker.
  const wanted = isolation === "none" ? 1 : workers;
  return {
    /** Supervisor first, then what it has started. */
    processes: () => tree(child.pid),
    /** Resolves to when the last worker was up, in milliseconds since 1970. */
    async ready() {
      const until = performance.now() + patienceMs;
      while (performance.now() < until && child.exitCode === null) {
        const marks = existsSync(readyFile) ? readFileSync(readyFile, "utf8").trim().split("\n") : [];
        if (marks.length >= wanted) return Math.max(...marks.slice(0, wanted).map(Number));
        await sleep(5);
      }
      child.kill("SIGKILL");
      throw failed("was not ready in time");
    },
    /** Kills supervisor and workers, as a machine that goes down does. */
    async kill() {
      for (const pid of tree(child.pid)) process.kill(pid, "SIGKILL");
      await exited;
    },
    async ended() {
      const [code] = await exited;
      if (code !== 0) throw failed(`ended with ${code}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
