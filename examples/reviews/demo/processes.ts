import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

/** A process of the example, started for the demo. */
export interface Service extends AsyncDisposable {
  /** The line that said it was ready. */
  readonly greeting: string;
  /** Asks it to stop, and resolves to its exit code. */
  readonly stop: () => Promise<number | null>;
}

/** Starts a real cluster, by the command that a user would type. Its log goes to a file. */
export async function startCluster(workers: number, logFile: string): Promise<Service> {
  const packageFile = require.resolve("qluster/package.json");
  const { bin } = JSON.parse(readFileSync(packageFile, "utf8")) as { bin: { qluster: string } };
  const command = join(dirname(packageFile), bin.qluster);
  const config = join(folder, "qluster.config.ts");
  const args = [command, "cluster", "--config", config, "--workers", String(workers), "--json-logs"];
  return await start("The cluster", args, "stderr", /Q Cluster .* running/, logFile);
}

/** Starts the shop on a free port. Resolves with its address as the greeting. */
export async function startShop(logFile: string): Promise<Service> {
  const args = ["--import", "jiti/register", join(folder, "server.ts")];
  const shop = await start("The shop", args, "stdout", /http:\/\/\S+/, logFile);
  return { ...shop, greeting: /http:\/\/\S+/.exec(shop.greeting)?.[0] ?? "" };
}

async function start(
  name: string,
  args: readonly string[],
  from: "stdout" | "stderr",
  ready: RegExp,
  logFile: string,
): Promise<Service> {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, PORT: "0" }, stdio: "pipe" });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const stop = async (): Promise<number | null> => await stopped(child, exited);

  const greeting = await Promise.race([firstLine(child[from], ready), exited.then(() => undefined)]);
  if (greeting === undefined) throw new Error(`${name} did not start:\n${readFileSync(logFile, "utf8").trim()}`);
  return { greeting, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

async function firstLine(stream: NodeJS.ReadableStream, matching: RegExp): Promise<string | undefined> {
  return await new Promise((resolve) => {
    createInterface({ input: stream }).on("line", (line) => {
      if (matching.test(line)) resolve(line);
    });
  });
}

async function stopped(child: ChildProcess, exited: Promise<[number | null]>): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const [code] = await exited;
  return code;
}
