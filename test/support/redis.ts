import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** A private server, which holds nothing at first. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Ends it as a crash does. Its folder stays. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same port and folder, and waits until it answers. */
  readonly start: () => Promise<void>;
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>;
  /** Runs `redis-cli` on it. */
  readonly cli: (...values: string[]) => string;
}

interface ServerOptions {
  /** More of redis-server's command line, such as `["--appendonly", "yes"]`. */
  readonly flags?: readonly string[];
  /** What the password is, when it wants one. */
  readonly password?: string;
}

/** Starts a server of its own on a free port, in a temporary folder. */
export async function startRedis({ flags = [], password }: ServerOptions = {}): Promise<RedisServer> {
  installRedis();
  const folder = mkdtempSync(join(tmpdir(), "qluster-redis-"));
  const port = await freePort();
  const login = password === undefined ? [] : ["--requirepass", password];
  const auth = password === undefined ? [] : ["-a", password, "--no-auth-warning"];
  let server: ChildProcess | undefined;

  const cli = (...values: string[]): string =>
    execFileSync("redis-cli", ["-p", String(port), ...auth, ...values], { encoding: "utf8", stdio: "pipe" }).trim();

  const start = async (): Promise<void> => {
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--daemonize", "no"];
    // A replica is there at once.
    place.push("--repl-diskless-sync-delay", "0");
    server = spawn(program(), [...place, "--appendonly", "no", ...login, ...flags], { stdio: "ignore" });
    await until(`redis-server on port ${port} answers`, () => /PONG/.test(cli("ping")));
  };

  const kill = async (): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  };

  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };

  await start();
  const user = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return { port, url: `redis://${user}127.0.0.1:${port}`, kill, start, stop, cli };
}

/** Three nodes of a Redis Cluster, each with a third of the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
  readonly stop: () => Promise<void>;
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  for (let index = 0; index < 3; index++) {
    const bus = String(await freePort());
    nodes.push(
      await startRedis({
        flags: ["--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000"],
      }),
    );
  }
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`);
  execFileSync("redis-cli", ["--cluster", "create", ...places, "--cluster-yes"], { stdio: "pipe" });
  for (const node of nodes) {
    await until("the nodes agree on the slots", () => {
      return (
        /cluster_state:ok/.test(node.cli("cluster", "info")) &&
        /cluster_slots_ok:16384/.test(node.cli("cluster", "info"))
      );
    });
  }
  return {
    nodes,
    url: `redis-cluster://${places.join(",")}`,
    stop: async () => {
      for (const node of nodes) await node.stop();
    },
  };
}

/** A server of one's own named by `QLUSTER_TEST_REDIS_URL`, or a private one. */
export async function redisForTests(): Promise<Pick<RedisServer, "url" | "stop">> {
  const url = process.env["QLUSTER_TEST_REDIS_URL"];
  return url === undefined || url === "" ? await startRedis() : { url, stop: async () => {} };
}

/** The address of a database that no test has used, on a server that has thousands. */
export function emptyRedis(server: string): string {
  return `${server}/${redisCli(server, "incr", "databases used by tests")}`;
}

/** Runs `redis-cli` on an address. */
export function redisCli(url: string, ...values: string[]): string {
  return execFileSync("redis-cli", ["-u", url, ...values], { encoding: "utf8", stdio: "pipe" }).trim();
}

/** With its folder, so that DEBUG RESTART finds it again. */
function program(): string {
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.map((folder) => join(folder, "redis-server")).find(existsSync) ?? "redis-server";
}

/** The binaries come from Debian's package when they are missing and we may install it. */
function installRedis(): void {
  if (["/usr/bin/redis-server", "/usr/local/bin/redis-server", "/opt/homebrew/bin/redis-server"].some(existsSync))
    return;
  try {
    execFileSync("redis-server", ["--version"], { stdio: "pipe" });
    return;
  } catch {
    // Not on the path.
  }
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(
      "These tests need redis-server and redis-cli 6.2 or newer. Install them: apt-get install redis-server",
    );
  }
  const options = { stdio: "pipe", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" } } as const;
  execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "redis-server"], options);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    try {
      if (isSo()) return;
    } catch {
      // Not yet.
    }
    await pause(50);
  }
  throw new Error(`Waited 20 seconds, and it did not happen: ${what}.`);
}
