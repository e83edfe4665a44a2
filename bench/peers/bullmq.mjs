// BullMQ on Redis, or on its PostgreSQL backend where the address says so: https://docs.bullmq.io/guide/postgresql
// Its concurrency is looked for, in one process and in two: https://docs.bullmq.io/guide/workers/concurrency
// Finished jobs stay, with their results: that is its default, and what Qluster does too.
import { createPostgresBackend, Queue, Worker } from "bullmq";
import { servePeer } from "../lib/peer.mjs";

const name = "noop";

await servePeer({
  candidates: {
    drain: [
      ...[25, 50, 100, 300].map((concurrency) => ({ concurrency, processes: 1 })),
      ...[50, 150].map((concurrency) => ({ concurrency, processes: 2 })),
    ],
    latency: [{ concurrency: 1 }, { concurrency: 50 }],
  },
  open,
  work: async (database, body, { concurrency = 1 }) => {
    const options = { concurrency, autorun: false, ...connection(database) };
    const worker = new Worker(name, (job) => body(job.data), options, backend(database));
    worker.on("error", (error) => console.error(error));
    await worker.waitUntilReady();
    return () => void worker.run();
  },
});

async function open(database) {
  const queue = new Queue(name, connection(database), backend(database));
  await queue.waitUntilReady();
  const count = async (...states) =>
    Object.values(await queue.getJobCounts(...states)).reduce((sum, jobs) => sum + jobs, 0);
  return {
    add: (payload) => queue.add(name, payload),
    addMany: (payloads) => queue.addBulk(payloads.map((data) => ({ name, data }))),
    left: () => count("wait", "active", "delayed", "prioritized"),
    kept: () => count("completed"),
    close: () => queue.close(),
  };
}

/** `maxRetriesPerRequest: null`: what its workers ask for. https://docs.bullmq.io/guide/going-to-production */
function connection(database) {
  if (!database.startsWith("postgres:")) return { connection: { url: database, maxRetriesPerRequest: null } };
  return { connection: { connectionString: database, migrate: true } };
}

function backend(database) {
  return database.startsWith("postgres:") ? createPostgresBackend : undefined;
}
