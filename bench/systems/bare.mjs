// A loop that does to the store what Qluster does for the same tasks, through the same backend, and nothing else: no
// processes, no signatures checked, no tasks run, no leases renewed, no deadlines. What one connection can do.
import { checkDone, openBackend, project } from "../lib/backend.mjs";
import { serve } from "../lib/verbs.mjs";
import { filled } from "./qluster.mjs";

/** In a take and in a finish. */
const atOnce = { postgres: 500 };
const result = JSON.stringify({ customer: 10_000, ok: true });

await serve({ drain });

async function drain({ database, folder, tasks }) {
  await filled({ database, folder, tasks });
  await using backend = await openBackend(database);
  const { broker, store } = backend;
  const cluster = { id: "bare", host: "bare", pid: process.pid };
  const consumer = await broker.consume({ queues: [project], leaseMs: 60_000, cluster });
  const max = atOnce[database.slice(0, database.indexOf(":"))] ?? 256;

  const started = performance.now();
  for (;;) {
    const deliveries = await consumer.take({ max, waitMs: 0 });
    if (deliveries.length === 0) break;
    await store.finish(consumer.id, deliveries.map(success));
  }
  const ms = performance.now() - started;

  await checkDone(backend, tasks);
  await consumer.close();
  return { rate: (tasks / ms) * 1_000 };
}

function success({ receipt, id, starts }) {
  const now = Date.now();
  const attempt = { number: starts + 1, ending: "succeeded", counted: true, startedAt: now, stoppedAt: now };
  return {
    receipt,
    id,
    attempt: { ...attempt, worker: "bare", error: null },
    outcome: { to: "succeeded", result, keep: true },
    followUps: [],
  };
}
