// The same three ways to enqueue, for every system. The first call is not timed: it connects, and creates what is missing.
import { payload, slices } from "./payload.mjs";
import { percentile } from "./statistics.mjs";

const callers = 64;

/**
 * A producer has `add(payload)`, `addMany(payloads)`, `left()` (how many wait) and `close()`.
 *
 * @param open - Resolves to a producer on the database.
 */
export function enqueueVerbs(open) {
  return {
    bulk: (options) => timed(open, options, bulk),
    single: (options) => timed(open, options, single),
    concurrent: (options) => timed(open, options, concurrent),
  };
}

/** Queues no-op tasks, and checks that they are there. */
export async function fill(producer, { tasks, mark }) {
  for (const slice of slices(tasks, mark)) await producer.addMany(slice);
  await checkLeft(producer, tasks);
}

async function timed(open, { database, tasks }, work) {
  const producer = await open(database);
  await producer.add(payload(0));
  const started = performance.now();
  const found = await work(producer, tasks);
  const ms = performance.now() - started;
  await checkLeft(producer, tasks + 1);
  await producer.close();
  return { rate: (tasks / ms) * 1_000, ...found };
}

async function bulk(producer, tasks) {
  for (const slice of slices(tasks)) await producer.addMany(slice);
}

/** One by one, each awaited. */
async function single(producer, tasks) {
  for (let index = 0; index < tasks; index += 1) await producer.add(payload(index));
}

/** 64 callers, each of which awaits its own call. */
async function concurrent(producer, tasks) {
  let next = 0;
  const waits = [];
  const caller = async () => {
    while (next < tasks) {
      const called = performance.now();
      await producer.add(payload(next++));
      waits.push(performance.now() - called);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { p50: percentile(waits, 50), p99: percentile(waits, 99) };
}

async function checkLeft(producer, wanted) {
  const left = await producer.left();
  if (left !== wanted) throw new Error(`${left} tasks wait, of ${wanted} that were enqueued.`);
}
