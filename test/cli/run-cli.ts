import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when standard error holds `text`; rejects when the process ends before, or after 20 s. */
  readonly says: (text: string) => Promise<void>;
}

/** A folder with files in it that is removed at the end. */
export interface Folder extends Disposable {
  readonly path: string;
  readonly write: (name: string, text: string) => string;
  readonly start: (args: readonly string[], env?: Readonly<Record<string, string>>) => Running;
  readonly run: (...args: string[]) => Promise<Finished>;
}

const limitMs = 20_000;

export function makeFolder(files: Readonly<Record<string, string>> = {}): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "qluster-cli-")));
  const running: ChildProcess[] = [];
  const start: Folder["start"] = (args, env = {}) => {
    const run = startCli(path, args, env);
    running.push(run.child);
    return run;
  };
  const folder: Folder = {
    path,
    start,
    run: async (...args) => await start(args).finished,
    write(name, text) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
    [Symbol.dispose]() {
      for (const child of running) child.kill("SIGKILL");
      rmSync(path, { recursive: true, force: true });
    },
  };
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  return folder;
}

function startCli(cwd: string, args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...output }));
  });
  const says = async (text: string): Promise<void> => {
    const deadline = AbortSignal.timeout(limitMs);
    while (!output.stderr.includes(text)) {
      if (deadline.aborted || child.exitCode !== null)
        throw new Error(`"${text}" was not said, but:\n${output.stderr}`);
      await new Promise((resolve) => {
        child.stderr.once("data", resolve);
        child.once("close", resolve);
        deadline.addEventListener("abort", resolve, { once: true });
      });
    }
  };
  return { child, finished, says };
}
