// pg-boss with batches of 500, fetched without a pause while they are full: https://pgboss.io/api/workers
// `PG_BOSS_NOTIFY=1` turns notifications on, which wake its workers and slow its producers: https://pgboss.io/api/constructor
// A batch is completed in one statement, and its results are not stored; `perJobResults` would, and is slower.
import pg from "pg";
import { PgBoss } from "pg-boss";
import { servePeer } from "../lib/peer.mjs";

const notify = process.env.PG_BOSS_NOTIFY === "1";
const name = "noop";

await servePeer({
  candidates: {
    drain: [
      { localConcurrency: 1, batchSize: 500 },
      { localConcurrency: 2, batchSize: 500 },
      { localConcurrency: 1, batchSize: 500, processes: 2 },
    ],
    latency: [{}],
  },
  open,
  work: async (database, body, { localConcurrency = 1, batchSize = 1 }) => {
    const boss = await start(database);
    const polling = { pollingIntervalSeconds: 0.5, ...(batchSize > 1 ? { burstWhenBatchFull: true } : {}) };
    const handler = async (jobs) => {
      for (const job of jobs) await body(job.data);
    };
    return () => boss.work(name, { batchSize, localConcurrency, ...polling }, handler);
  },
});

async function open(database) {
  const boss = await start(database);
  await boss.createQueue(name, { notify });
  const client = new pg.Client(database);
  await client.connect();
  const count = async (states) => {
    const sql = "select count(*)::int as jobs from pgboss.job where name = $1 and state::text = any($2)";
    return (await client.query(sql, [name, states])).rows[0].jobs;
  };
  return {
    add: (payload) => boss.send(name, payload),
    addMany: (payloads) =>
      boss.insert(
        name,
        payloads.map((data) => ({ data })),
      ),
    left: () => count(["created", "retry", "active"]),
    kept: () => count(["completed"]),
    close: async () => {
      await client.end();
      await boss.stop({ graceful: false });
    },
  };
}

async function start(database) {
  const boss = new PgBoss({ connectionString: database, useListenNotify: notify });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  return boss;
}
