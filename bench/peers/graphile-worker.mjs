// graphile-worker with the configuration of its own speed figures: https://worker.graphile.org/docs/performance
// It deletes a job that is done, and keeps no results.
import { Logger, makeWorkerUtils, runTaskList } from "graphile-worker";
import pg from "pg";
import { servePeer } from "../lib/peer.mjs";

const quiet = new Logger(() => (level, message) => level === "error" && console.error(message));
/** "Quick stats", with "Batching options". */
const tuned = { concurrentJobs: 24, maxPoolSize: 25, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const batched = { ...tuned, localQueue: { size: 500 } };

await servePeer({
  candidates: {
    drain: [
      { processes: 1, preset: batched },
      { processes: 2, preset: batched },
    ],
    latency: [{ preset: batched }, { preset: tuned }, { preset: {} }],
  },
  open,
  work: async (database, body, { preset }) => {
    // `run` would look for migrations first, while the clock runs.
    const pool = new pg.Pool({ connectionString: database, max: preset.maxPoolSize ?? 10 });
    pool.on("error", (error) => console.error(error));
    await pool.query("select 1");
    const options = { preset: { worker: { logger: quiet, ...preset } }, noHandleSignals: true };
    return () => void runTaskList(options, { noop: body }, pool);
  },
});

async function open(database) {
  const utils = await makeWorkerUtils({ connectionString: database, logger: quiet });
  await utils.migrate();
  const client = new pg.Client(database);
  await client.connect();
  return {
    add: (payload) => utils.addJob("noop", payload),
    addMany: (payloads) => utils.addJobs(payloads.map((payload) => ({ identifier: "noop", payload }))),
    left: async () => {
      const { rows } = await client.query("select count(*)::int as left from graphile_worker._private_jobs");
      return rows[0].left;
    },
    close: async () => {
      await client.end();
      await utils.release();
    },
  };
}
