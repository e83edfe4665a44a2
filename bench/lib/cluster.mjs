import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { tree } from "./processes.mjs";

const project = fileURLToPath(new URL("../project", import.meta.url));
const main = join(dirname(createRequire(import.meta.url).resolve("qluster/package.json")), "dist", "cli", "main.js");
const workers = 2;
const patienceMs = 30_000;

/** The settings that both sides of a run share. */
export function settings(folder) {
  return { QLUSTER_DATABASE: `sqlite:${join(folder, "qluster.db")}`, QLUSTER_SECRET: "the-secret-of-the-bench" };
}

/**
 * Starts a real cluster of two workers by its command. It logs warnings only; plainjob gets a silent logger.
 *
 * @param {string} folder - Where the database is.
 * @param {readonly string[]} flags
 * @param {NodeJS.ProcessEnv} more
 */
export function startCluster(folder, flags, more = {}) {
  const readyFile = join(folder, "ready");
  const config = join(project, "qluster.config.mjs");
  const args = [main, "cluster", "--config", config, "--workers", String(workers), "--log-level", "warn", ...flags];
  const env = { ...process.env, ...settings(folder), BENCH_READY: readyFile, ...more };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  const said = [];
  child.stderr.on("data", (chunk) => said.push(chunk));
  const exited = once(child, "close");
  const failed = (what) => new Error(`The cluster ${what}:\n${Buffer.concat(said).toString()}`);

  return {
    /** Supervisor first, then what it has started. */
    processes: () => tree(child.pid),
    /** Resolves to when the last worker was up, in milliseconds since 1970. */
    async ready() {
      const until = performance.now() + patienceMs;
      while (performance.now() < until) {
        const marks = existsSync(readyFile) ? readFileSync(readyFile, "utf8").trim().split("\n") : [];
        if (marks.length >= workers) return Math.max(...marks.slice(0, workers).map(Number));
        await sleep(10);
      }
      child.kill("SIGKILL");
      throw failed("was not ready in time");
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
