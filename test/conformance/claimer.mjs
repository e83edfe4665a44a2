// One cluster's worth of claiming, as a process of its own: takes until nothing comes any more, ends what it took, and
// reports the ids. Arguments: the location, what opens it, how many to take at a time.
import { createJiti } from "jiti";

const jiti = createJiti(import.meta.url);
const [location, opener, max] = process.argv.slice(2);
const options = { project: "shop", durability: "process", migrate: true, blockMs: 50, retryMs: 20_000, location };
const backend = await open();
const cluster = { id: `cluster-${process.pid}`, host: "here", pid: process.pid };
const consumer = await backend.broker.consume({ queues: ["q"], leaseMs: 60_000, cluster });

process.send("ready");
await new Promise((resolve) => process.once("message", resolve));

const done = [];
for (;;) {
  const taken = await consumer.take({ max: Number(max), waitMs: 500 });
  if (taken.length === 0) break;
  const stored = await backend.store.finish(consumer.id, taken.map(settlement));
  stored.forEach((isOurs, index) => done.push(isOurs ? taken[index].id : "lost"));
}
await consumer.close();
await backend[Symbol.asyncDispose]();
process.send(done, () => process.exit(0));

async function open() {
  if (opener === "postgres" || opener === "redis") {
    const { openBackend } = await jiti.import(`../../src/backends/${opener}/index.ts`);
    return await openBackend(options);
  }
  const { openSqlite } = await jiti.import("../../src/backends/sqlite/index.ts");
  const { libsqlDriver, nodeDriver } = await jiti.import("../../src/backends/sqlite/driver.ts");
  return await openSqlite(options, opener === "libsql" ? await libsqlDriver() : nodeDriver());
}

function settlement({ receipt, id }) {
  const now = Date.now();
  const times = { startedAt: now, stoppedAt: now, worker: `here:${process.pid}` };
  const attempt = { number: 1, ending: "succeeded", counted: true, error: null, ...times };
  return { receipt, id, attempt, outcome: { to: "succeeded", result: '"ok"', keep: true }, followUps: [] };
}
