// plainjob, as its README uses it, but for a logger that writes nothing: its default prints several lines for each job.
// Its own settings for the file are Qluster's too: WAL, synchronous=NORMAL. https://github.com/justplainstuff/plainjob
import { better, defineQueue, defineWorker, JobStatus } from "plainjob";
import { servePeer } from "../lib/peer.mjs";

// better-sqlite3 12 is the last that runs on Node 20; 13 has its binaries inside and needs 22.
const major = Number(process.versions.node.split(".")[0]);
const { default: Database } = await import(major < 22 ? "better-sqlite3" : "better-sqlite3-13");
const quiet = { error: console.error, warn() {}, info() {}, debug() {} };

await servePeer({
  // "Multi-process Workers" in its README.
  candidates: { drain: [{ processes: 1 }, { processes: 2 }], latency: [{}] },
  open,
  work: async (database, run) => {
    const worker = defineWorker("noop", async (job) => void (await run(JSON.parse(job.data))), {
      queue: queueOn(database),
      logger: quiet,
    });
    return () => void worker.start();
  },
});

/** `add` is synchronous: one by one, and as many at once as you like, are the same. */
async function open(database) {
  const queue = queueOn(database);
  const count = (...states) => states.reduce((sum, status) => sum + queue.countJobs({ status }), 0);
  return {
    add: async (payload) => void queue.add("noop", payload),
    addMany: async (payloads) => void queue.addMany("noop", payloads),
    left: async () => count(JobStatus.Pending, JobStatus.Processing),
    kept: async () => count(JobStatus.Done),
    close: async () => queue.close(),
  };
}

function queueOn(database) {
  return defineQueue({ connection: better(new Database(database.slice("sqlite:".length))), logger: quiet });
}
