import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve as absolute } from "node:path";
import { createQluster } from "qluster";
import type { Qluster, QlusterConfig } from "qluster";
import { emptyServer } from "./server.js";

const cli = absolute("dist/cli/main.js");

/** How long something may take that only has to happen. */
const patience = 60_000;

/** What every cluster said that a test of this file has started. */
const watched = new Map<number, readonly LogLine[]>();

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A cluster that really runs: a process tree of its own, started by the command line. */
export interface ClusterProcess {
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** Resolves to the exit code, or the signal. */
  readonly exited: Promise<number | string>;
  /** Waits until a line says so. */
  readonly says: (text: RegExp, limitMs?: number) => Promise<LogLine>;
  /** Process ids of its workers that are alive. */
  readonly workers: () => number[];
  readonly kill: (signal?: NodeJS.Signals) => void;
}

/** A folder with a project in it: configuration, task modules, an empty database, and whatever runs on them. */
export interface Workshop extends AsyncDisposable {
  readonly folder: string;
  readonly q: Qluster;
  readonly config: QlusterConfig;
  readonly cluster: (options?: ClusterOptions) => Promise<ClusterProcess>;
  /** Lines that tasks have written with `trace`. */
  readonly trace: () => string[];
}

export interface ClusterOptions {
  readonly args?: readonly string[];
  readonly config?: Partial<QlusterConfig>;
  /** Resolve before it is ready. */
  readonly noWait?: boolean;
  readonly node?: string;
  /** The leader of a process group of its own, as a shell starts it: `process.kill(-pid)` reaches all of it. */
  readonly detached?: boolean;
}

/** Tasks for all tests of running clusters. Each tells of its start in one atomic append to a file. */
const taskModule = `
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentTask } from "qluster";

const file = new URL("./trace.log", import.meta.url);
export function trace(text) {
  appendFileSync(file, text + "\\n");
}
function started(label) {
  trace(["start", label, currentTask().id, process.pid, Date.now()].join(" "));
}

export async function noop() {}
export async function add(a, b) { return a + b; }
export async function traced(label, ms = 0) { started(label); if (ms > 0) await sleep(ms); return label; }
export async function fails(label) { started(label); throw new Error("boom " + label); }
export function spin(label) { started(label); while (true) {} }
export function busy(label, ms) { started(label); const end = Date.now() + ms; while (Date.now() < end) {} return label; }
export async function swallows(label) { started(label); currentTask().signal.addEventListener("abort", () => {}); await sleep(600_000); }
export async function obeys(label) { started(label); await sleep(600_000, undefined, { signal: currentTask().signal }); }
export function exits(label, code) { started(label); process.exit(code); }
export async function rejects(label) { started(label); void Promise.reject(new Error("stray " + label)); await sleep(600_000); }
export async function rejectsLater(label) { started(label); setTimeout(() => void Promise.reject(new Error("late " + label)), 50); return "fine"; }
export function eats(label) { started(label); const all = []; while (true) all.push(new Array(100_000).fill({ label })); }
export async function spawns(label) {
  started(label);
  const { spawn } = await import("node:child_process");
  const child = spawn("sleep", ["600"]);
  trace("child " + child.pid);
  await sleep(600_000);
}
export async function hook(finished) { trace(["hook", finished.id, finished.success, finished.error?.message ?? finished.result].join(" ")); }
export async function reports() { const t = currentTask(); for (let i = 1; i <= 3; i++) { t.progress(i, 3, "step " + i); t.log("line " + i); await sleep(50); } return "ok"; }
`;

/** The database that the run of this project is about: a server that it has started, or else a file. */
function emptyDatabase(folder: string): string {
  return emptyServer() ?? `sqlite:${join(folder, "q.db")}`;
}

export async function workshop(given: Partial<QlusterConfig> = {}, extraTasks = ""): Promise<Workshop> {
  const folder = mkdtempSync(join(tmpdir(), "qluster-test-"));
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  // The project under test, as an installed package.
  const { symlinkSync } = await import("node:fs");
  symlinkSync(absolute("."), join(folder, "node_modules", "qluster"), "dir");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  writeFileSync(join(folder, "jobs.mjs"), taskModule + extraTasks);
  const config: QlusterConfig = {
    name: "test",
    database: emptyDatabase(folder),
    tasks: ["jobs.mjs"],
    workers: 2,
    secret: "a secret for tests that is long enough",
    lease: "3s",
    killAfter: "500ms",
    timeout: "1m",
    backoff: { base: "50ms", jitter: 0 },
    ...given,
  };
  const q = createQluster(config, { root: folder });
  const running: ChildProcess[] = [];
  let configs = 0;

  return {
    folder,
    q,
    config,
    trace: () => {
      const file = join(folder, "trace.log");
      return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    },
    cluster: async (options = {}) => {
      const file = join(folder, `qluster.config.${(configs += 1)}.json`);
      writeFileSync(file, JSON.stringify({ ...config, ...options.config }));
      const args = [cli, "cluster", "--config", file, ...(options.args ?? [])];
      const child = spawn(options.node ?? process.execPath, args, {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe"],
        detached: options.detached === true,
      });
      running.push(child);
      const cluster = watch(child);
      if (options.noWait !== true) await cluster.says(/running\.$/);
      return cluster;
    },
    [Symbol.asyncDispose]: async () => {
      await q.close();
      await Promise.all(running.map(end));
      for (const { pid } of running) watched.delete(pid!);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function watch(child: ChildProcess): ClusterProcess {
  const log: LogLine[] = [];
  watched.set(child.pid!, log);
  const listeners = new Set<() => void>();
  let rest = "";
  const read = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) log.push(line.startsWith("{") ? (JSON.parse(line) as LogLine) : { level: 0, msg: line });
    for (const listener of listeners) listener();
  };
  child.stderr!.on("data", read);
  child.stdout!.on("data", read);
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? signal!)),
  );

  return {
    pid: child.pid!,
    log,
    exited,
    says: async (text, limitMs) => {
      const found = (): LogLine | undefined => log.find((line) => text.test(line.msg));
      await until(found, `a line like ${String(text)}`, limitMs, listeners);
      return found()!;
    },
    workers: () => childrenOf(child.pid!),
    kill: (signal = "SIGKILL") => void child.kill(signal),
  };
}

function lastWords([pid, log]: readonly [number, readonly LogLine[]]): string {
  const lines = log.slice(-30).map((line) => line.msg);
  return `\nThe cluster ${pid} said last:\n${lines.join("\n")}`;
}

/**
 * Waits for a condition, and says what it waited for in vain, and what the clusters said.
 *
 * @param limitMs - Given only where the time itself is promised; else a busy machine may take its time.
 */
export async function until(
  met: () => unknown,
  what: string | (() => string),
  limitMs: number = patience,
  listeners?: Set<() => void>,
): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!(await met())) {
    if (performance.now() > limit) {
      throw new Error(
        `Waited ${limitMs} ms in vain for ${typeof what === "string" ? what : what()}${[...watched].map(lastWords).join("")}`,
      );
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, 20);
      function done(): void {
        clearTimeout(timer);
        listeners?.delete(done);
        resolve();
      }
      listeners?.add(done);
    });
  }
}

/** Live children of a process that are workers (Linux: read from /proc). */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter((text) => text !== "")
      .map(Number)
      .filter(alive);
  } catch {
    return [];
  }
}

export function alive(pid: number): boolean {
  try {
    // A zombie is dead; only its parent has not looked yet.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const workers = childrenOf(child.pid!);
  child.kill("SIGCONT");
  child.kill("SIGKILL");
  await gone;
  await until(() => !workers.some(alive), "the workers of a killed cluster to end");
}
