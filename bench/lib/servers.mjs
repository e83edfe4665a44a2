// Private servers on free ports, in temporary folders. They end with this process, however it ends.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 20_000;

/**
 * Starts PostgreSQL with its own defaults, but for where it listens. `fsync` and `synchronous_commit` are on.
 *
 * @returns `url`: of the database `postgres`. `stop()`.
 */
export async function startPostgres() {
  const bin = postgresBin();
  const user = unprivileged("postgres");
  const folder = newFolder("qluster-bench-postgres-", user);
  const data = join(folder, "data");
  const init = ["-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"];
  execFileSync(...as(user, join(bin, "initdb"), init), { stdio: "pipe", cwd: folder });
  const port = await freePort();
  const settings = { port, listen_addresses: "127.0.0.1", unix_socket_directories: folder };
  const flags = Object.entries({ ...settings, fsync: "on", synchronous_commit: "on" }).map(
    ([name, value]) => `--${name}=${value}`,
  );
  // The port answers some time before the server does.
  const ready = () => succeeds(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)]);
  const stop = await run(as(user, join(bin, "postgres"), ["-D", data, ...flags]), { ready, folder, signal: "SIGINT" });
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop };
}

/**
 * Starts Redis without snapshots: they would come in the middle of one measurement or another.
 *
 * @param {boolean} appendonly - With the default `appendfsync everysec`.
 */
export async function startRedis({ appendonly }) {
  const folder = newFolder("qluster-bench-redis-");
  const port = await freePort();
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  const durable = ["--appendonly", appendonly ? "yes" : "no", "--appendfsync", "everysec"];
  const command = as(undefined, "redis-server", [...flags, ...durable]);
  const ready = () => succeeds("redis-cli", ["-p", String(port), "ping"]);
  const stop = await run(command, { ready, folder, signal: "SIGKILL" });
  return { url: `redis://127.0.0.1:${port}`, stop };
}

/** Starts a server, and waits until it is ready. Resolves to how it is stopped. */
async function run([command, args], { ready, folder, signal }) {
  const server = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], cwd: folder });
  const said = [];
  server.stderr.on("data", (chunk) => said.push(chunk));
  const exited = once(server, "exit");
  const last = () => {
    server.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", last);
  const until = performance.now() + patienceMs;
  while (!ready()) {
    if (performance.now() > until || server.exitCode !== null)
      throw new Error(`${command} ${args.join(" ")} did not start:\n${Buffer.concat(said).toString()}`);
    await sleep(20);
  }
  return async () => {
    server.kill(signal);
    await exited;
    process.off("exit", last);
    rmSync(folder, { recursive: true, force: true });
  };
}

/** As an unprivileged user, and ended by the kernel when this process ends; both where `setpriv` is there to do it. */
function as(user, command, args) {
  if (!existsSync("/usr/bin/setpriv")) return [command, args];
  const who = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  return ["/usr/bin/setpriv", [...who, "--pdeathsig=SIGKILL", command, ...args]];
}

/** PostgreSQL refuses to run as root. */
function unprivileged(name) {
  if (process.getuid() !== 0) return undefined;
  const id = (flag) => Number(execFileSync("id", [flag, name]).toString());
  return { uid: id("-u"), gid: id("-g") };
}

function newFolder(prefix, user) {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o755);
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

/** Debian keeps the server's programs out of the path. */
function postgresBin() {
  const packaged = "/usr/lib/postgresql";
  if (existsSync(packaged)) {
    const [newest] = readdirSync(packaged).sort((a, b) => Number(b) - Number(a));
    if (newest !== undefined) return join(packaged, newest, "bin");
  }
  try {
    return execFileSync("pg_config", ["--bindir"]).toString().trim();
  } catch {
    throw new Error("The bench needs PostgreSQL. Install it: apt-get install --no-install-recommends postgresql-15");
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function succeeds(command, args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
