import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { QlusterConfig } from "qluster";
import { redisCli } from "./redis.js";
import { plainClient, postgresOf, redisOf, sqliteOf } from "./workshop-store.js";

/** Another program that lets nobody write to a workshop's tables for a while. Resolves when it has begun. */
export async function holdLock(
  shop: { readonly config: QlusterConfig },
  ms: number,
): Promise<{ readonly released: Promise<unknown> }> {
  const redis = redisOf(shop);
  if (redis !== undefined) return pauseRedis(redis, ms);
  const url = postgresOf(shop);
  return url === undefined ? await holdFile(sqliteOf(shop), ms) : await holdTables(url, ms);
}

/** The server answers, but takes no writes. */
function pauseRedis(url: string, ms: number): { readonly released: Promise<unknown> } {
  redisCli(url, "client", "pause", String(ms), "write");
  return { released: pause(ms) };
}

async function holdTables(url: URL, ms: number): Promise<{ readonly released: Promise<unknown> }> {
  const client = await plainClient(url);
  const { rows } = await client.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1",
  );
  await client.query("BEGIN");
  await client.query(`LOCK TABLE ${rows.map(({ name }) => name).join(", ")} IN ACCESS EXCLUSIVE MODE`);
  return { released: pause(ms).then(() => client.end()) };
}

/** A process that holds the write lock of an SQLite file. */
async function holdFile(file: string, ms: number): Promise<{ readonly released: Promise<unknown> }> {
  const driver = resolve("dist/backends/sqlite/driver.js");
  const script = `
    import { loadDriver } from ${JSON.stringify(driver)};
    const db = (await loadDriver()).open(${JSON.stringify(file)});
    db.exec("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS held (n); INSERT INTO held VALUES (1)");
    console.log("held");
    setTimeout(() => { db.exec("COMMIT"); process.exit(0); }, ${ms});`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(holder, "exit");
  await Promise.race([
    once(holder.stdout, "data"),
    exited.then(() => Promise.reject(new Error("The holder of the lock could not start."))),
  ]);
  return { released: exited };
}
