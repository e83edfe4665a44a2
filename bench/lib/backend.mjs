// Qluster's own backends, opened without a cluster: to look into the queue, and as the bare store.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createQluster } from "qluster";

/** Where the built package is. */
export const dist = join(dirname(createRequire(import.meta.url).resolve("qluster/package.json")), "dist");

/** The project of every run. */
export const project = "bench";
export const secret = "the-secret-of-the-bench";

/** The public API on a database. */
export function client(database) {
  return createQluster({ name: project, database, secret, logLevel: "warn" });
}

/** @param {string} database - An address, as the option `database` has it. */
export async function openBackend(database) {
  const { resolveConfig } = await import(join(dist, "options", "resolve.js"));
  const { openBackend: open } = await import(join(dist, "options", "open-backend.js"));
  return await open(resolveConfig({ name: project, database, secret }));
}

/** How many tasks are unfinished. */
export async function unfinished({ broker }) {
  return (await broker.queueSize()) + (await broker.lockSize());
}

/** @throws when anything but `tasks` successes is on record. */
export async function checkDone({ store }, tasks) {
  const counts = await store.counts(tasks + 1);
  const { queued, running, succeeded, failed } = counts;
  if (succeeded === tasks && queued + running + failed === 0) return;
  throw new Error(`Of ${tasks} tasks, these are on record: ${JSON.stringify(counts)}.`);
}
