import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Postgres server of our own, in a temporary folder, on a free port. */
export interface PostgresServer {
  /** `postgres://postgres@127.0.0.1:port/postgres` */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** @param mode - `immediate` is what a crash looks like: no goodbye, and recovery from the log. */
  readonly restart: (mode: "fast" | "immediate") => void;
  readonly halt: (mode: "fast" | "immediate") => void;
  readonly start: () => void;
  /** Stops it and removes the folder. */
  readonly remove: () => void;
}

export interface ServerOptions {
  /** More settings for its command line: `["-c", "ssl=on"]`. */
  readonly settings?: readonly string[];
  /** Confirmed writes are really on the disk. Default false: most tests never crash it. */
  readonly fsync?: boolean;
  /** How logins over TCP are checked. Default `trust`. */
  readonly auth?: "trust" | "scram-sha-256";
  /** Of the user postgres, with `scram-sha-256`. */
  readonly password?: string;
}

/** Starts one. Installs the server where it is missing and that is possible, and else says what to install. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const bin = binaries();
  const folder = mkdtempSync(join(tmpdir(), "qluster-postgres-"));
  const data = join(folder, "data");
  giveToPostgres(folder);
  const { auth = "trust", fsync = false, settings = [], password } = options;
  const secretFile = join(folder, "password");
  if (password !== undefined) writeFileSync(secretFile, `${password}\n`);
  const secret = password === undefined ? [] : [`--pwfile=${secretFile}`];
  run([
    join(bin, "initdb"),
    "-D",
    data,
    "-U",
    "postgres",
    `--auth-host=${auth}`,
    "--auth-local=trust",
    "-N",
    ...secret,
  ]);
  const port = await freePort();
  const words = ["-p", port, "-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${folder}`];
  if (!settings.some((setting) => setting.startsWith("max_connections"))) words.push("-c", "max_connections=400");
  words.push("-c", `fsync=${fsync ? "on" : "off"}`, ...settings.flatMap((setting) => ["-c", setting]));
  const control = (...args: string[]): void =>
    run([join(bin, "pg_ctl"), "-D", data, "-w", "-l", join(folder, "log"), ...args]);
  const start = (): void => control("-o", words.join(" "), "start");
  const halt = (mode: string): void => control("-m", mode, "stop");
  start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    start,
    halt,
    restart: (mode) => control("-m", mode, "-o", words.join(" "), "restart"),
    remove: () => {
      spawnSync(...command([join(bin, "pg_ctl"), "-D", data, "-w", "-m", "immediate", "stop"]), { stdio: "ignore" });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder of `initdb` and `pg_ctl`, of the newest version there is. */
export function binaries(): string {
  const found = find();
  if (found !== undefined) return found;
  install("postgresql");
  const installed = find();
  if (installed === undefined) throw new Error("The package postgresql was installed, and there is no initdb in it.");
  return installed;
}

function find(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(root, version, "bin")), ...(process.env["PATH"] ?? "").split(":")];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_ctl")));
}

/** Debian's package, where we may; a server that is missing is a failure, never a reason to skip a test. */
export function install(name: string): void {
  const isPossible = isRoot() && existsSync("/usr/bin/apt-get");
  if (!isPossible) {
    throw new Error(
      `These tests start a server of their own. Install it: apt-get install ${name} (or ${name} of your system).`,
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = { stdio: "inherit", env } as const;
  execFileSync("apt-get", ["update", "-q"], options);
  execFileSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", name], options);
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Postgres refuses to run as root. */
export function command(args: readonly string[]): [program: string, args: string[]] {
  const [program = "", ...rest] = isRoot()
    ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", ...args]
    : args;
  return [program, rest];
}

function run(args: readonly (string | number)[]): void {
  const [program, rest] = command(args.map(String));
  // The server keeps the output open, so it goes nowhere; what it has to say stands in its log.
  const { status, error } = spawnSync(program, rest, { stdio: "ignore", cwd: "/" });
  if (status !== 0) throw new Error(`${rest.join(" ")} failed with ${error?.message ?? `status ${status}`}.`);
}

/** Lets the user that Postgres runs as have files and folders of ours. */
export function giveToPostgres(...paths: readonly string[]): void {
  if (!isRoot()) return;
  const [uid, gid] = ids("postgres");
  for (const path of paths) chownSync(path, uid, gid);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function ids(user: string): [uid: number, gid: number] {
  const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8" }));
  return [id("-u"), id("-g")];
}
