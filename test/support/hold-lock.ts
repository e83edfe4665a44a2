import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** Another process that holds the write lock of an SQLite file for a while. Resolves when it has the lock. */
export async function holdLock(file: string, ms: number): Promise<{ readonly released: Promise<unknown> }> {
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
