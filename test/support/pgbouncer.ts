import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { command, freePort, install } from "./postgres-server.js";

/** A proxy in front of a server that lends a connection for one transaction at a time. Ends with the test. */
export async function startPgbouncer(server: URL): Promise<URL> {
  if (!existsSync("/usr/sbin/pgbouncer")) install("pgbouncer");
  const folder = mkdtempSync(join(tmpdir(), "qluster-pgbouncer-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const users = join(folder, "users.txt");
  writeFileSync(users, `"${server.username}" ""\n`);
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(file, settings(server, port, users));
  const [program, args] = command(["/usr/sbin/pgbouncer", "-q", file]);
  const child = spawn(program, args, { stdio: "ignore" });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  await listening(port);
  const url = new URL(server);
  url.port = String(port);
  return url;
}

/** Three connections for everybody: who kept one for itself would be noticed. */
function settings(server: URL, port: number, users: string): string {
  return `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 3
unix_socket_dir =
`;
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.end());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("pgbouncer did not listen within 5 s.");
}
