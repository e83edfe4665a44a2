// bee-queue with what its README offers for speed: no job events, no job instances kept in memory, `saveAll` in bulk.
// It keeps finished jobs, but not their results: those go out with the events only. https://github.com/bee-queue/bee-queue#settings
import Queue from "bee-queue";
import { servePeer } from "../lib/peer.mjs";

const name = "noop";
const lean = { getEvents: false, sendEvents: false, storeJobs: false };

await servePeer({
  candidates: {
    drain: [
      ...[25, 50, 100, 300].map((concurrency) => ({ concurrency, processes: 1 })),
      ...[50, 150].map((concurrency) => ({ concurrency, processes: 2 })),
    ],
    latency: [{ concurrency: 1 }, { concurrency: 50 }],
  },
  // "set interval to be the same or a bit shorter than stallInterval" (README, checkStalledJobs); 5 s is its default.
  recovery: { checkEveryMs: 5_000 },
  open,
  work: async (database, body, { concurrency = 1, checkEveryMs }) => {
    const queue = new Queue(name, { redis: database, ...lean });
    queue.on("error", (error) => console.error(error));
    await queue.ready();
    return () => {
      queue.process(concurrency, (job) => body(job.data));
      if (checkEveryMs !== undefined) void queue.checkStalledJobs(checkEveryMs);
    };
  },
});

async function open(database) {
  const queue = new Queue(name, { redis: database, isWorker: false, ...lean });
  await queue.ready();
  return {
    add: (payload) => queue.createJob(payload).save(),
    addMany: async (payloads) => {
      const errors = await queue.saveAll(payloads.map((payload) => queue.createJob(payload)));
      if (errors.size > 0) throw new Error(`${errors.size} jobs were not saved.`);
    },
    left: async () => {
      const { waiting, active, delayed } = await queue.checkHealth();
      return waiting + active + delayed;
    },
    kept: async () => (await queue.checkHealth()).succeeded,
    close: () => queue.close(),
  };
}
