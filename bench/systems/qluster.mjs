// Qluster as a user runs it: the public API in one process, the command `qluster cluster` in another.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { link } from "qluster";
import { checkDone, client, openBackend, unfinished } from "../lib/backend.mjs";
import { startCluster } from "../lib/cluster.mjs";
import { chain, iter } from "../lib/composition.mjs";
import { drained } from "../lib/drain.mjs";
import { enqueueVerbs, fill } from "../lib/enqueue.mjs";
import { payload } from "../lib/payload.mjs";
import { cpuMs, rssMb } from "../lib/processes.mjs";
import { entries, held, retries } from "../lib/recovery.mjs";
import { median, percentile } from "../lib/statistics.mjs";
import { serve } from "../lib/verbs.mjs";

const noop = "tasks.noop";

/** What the shared measurements call. */
async function open(database) {
  const queue = client(database);
  const backend = await openBackend(database);
  return {
    add: (order) => queue.asyncTask(noop, order),
    addMany: (orders) => queue.asyncTasks(orders.map((order) => link(noop, order))),
    left: () => unfinished(backend),
    async close() {
      await queue.close();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** Queues no-op tasks. Resolves to the file that the last of them marks. */
export async function filled({ database, folder, tasks }) {
  const mark = join(folder, "last");
  const producer = await open(database);
  await fill(producer, { tasks, mark });
  await producer.close();
  return mark;
}

/** Fills the queue, then measures one cluster from the moment its workers are up to the last end that is stored. */
async function drain({ database, folder, tasks, isolation }) {
  const mark = await filled({ database, folder, tasks });
  const backend = await openBackend(database);
  const cluster = startCluster({ database, folder }, { isolation });
  await drained(mark, () => unfinished(backend));
  const ended = performance.timeOrigin + performance.now();
  const ms = ended - (await cluster.ready());

  await cluster.stop();
  await checkDone(backend, tasks);
  await backend[Symbol.asyncDispose]();
  return { rate: (tasks / ms) * 1_000 };
}

/** From the call of asyncTask to the first line of the function, on an idle cluster in another process. */
async function latency({ database, folder, samples }) {
  const queue = client(database);
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  const waits = [];
  for (let index = -3; index < samples; index += 1) {
    await sleep(50 + (((index + 3) * 37) % 150));
    const called = performance.timeOrigin + performance.now();
    const id = await queue.asyncTask("tasks.entered");
    const enteredAt = await queue.result(id, { wait: "30s" });
    if (index >= 0) waits.push(enteredAt - called);
  }
  await queue.close();
  await cluster.stop();
  return { p50: percentile(waits, 50), p99: percentile(waits, 99) };
}

/** From the last line of the function to its result in the hands of whoever waits for it in another process. */
async function answer({ database, folder, samples }) {
  const queue = client(database);
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  const waits = [];
  for (let index = -3; index < samples; index += 1) {
    await sleep(50 + (((index + 3) * 37) % 150));
    const leftAt = await queue.result(await queue.asyncTask("tasks.entered"), { wait: "30s" });
    if (index >= 0) waits.push(performance.timeOrigin + performance.now() - leftAt);
  }
  await queue.close();
  await cluster.stop();
  return { p50: percentile(waits, 50), p99: percentile(waits, 99) };
}

/**
 * From a slot to the first line of the function, on an idle cluster in another process: one slot a second, of a schedule that
 * does nothing else.
 */
async function schedule({ database, folder, slots }) {
  const queue = client(database);
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  // Not on a whole second, where other timers of the machine ring.
  const first = Math.ceil(Date.now() / 1_000) * 1_000 + 2_370;
  const until = new Date(first + (slots - 1) * 1_000);
  await queue.schedule("tasks.entered", { every: "1s", nextRun: new Date(first), until, name: "tick" });
  await sleep(until.getTime() + 3_000 - Date.now());
  const runs = await queue.schedules.runs("tick", { limit: slots });
  if (runs.length !== slots) throw new Error(`${runs.length} runs of ${slots} slots.`);
  const waits = [];
  for (const { slot, taskId } of runs) {
    const enteredAt = await queue.result(taskId, { wait: "30s" });
    waits.push(enteredAt - slot.getTime());
  }
  await queue.close();
  await cluster.stop();
  return { p50: percentile(waits, 50), p99: percentile(waits, 99) };
}

/** Kills a cluster with tasks in hand, starts another one at once, and waits until all of them were entered again. */
async function recovery(place) {
  const { queue, mark, cluster } = await holding(place);
  await cluster.kill();
  const since = Date.now();
  const next = startCluster(place);
  const times = await entries(mark, 2 * held);
  await queue.close();
  await next.stop();
  return retries(times, since);
}

/** The same with a cluster that is told to stop, and another one that waits already: from the end of the first one. */
async function handover(place) {
  const { queue, mark, cluster } = await holding(place);
  const next = startCluster(place);
  await next.ready();
  await cluster.stop();
  const since = Date.now();
  const times = await entries(mark, 2 * held);
  await queue.close();
  await next.stop();
  return retries(times, since);
}

/** A cluster whose every place is taken by a task that does not end. `grace` is short: it would be waited for. */
async function holding(place) {
  const mark = join(place.folder, "entered");
  const queue = client(place.database);
  for (let index = 0; index < held; index += 1) await queue.asyncTask("tasks.held", { ...payload(index), mark });
  const flags = ["--concurrency", String(held / 2)];
  const cluster = startCluster(place, { flags, env: { BENCH_HOLD: "1", QLUSTER_GRACE: "1s" } });
  await entries(mark, held);
  return { queue, mark, cluster };
}

/** What a cluster with nothing to do costs. */
async function idle({ database, folder, seconds }) {
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  // For some seconds V8 collects what starting has left behind.
  await sleep(15_000);
  const pids = cluster.processes();
  const before = pids.map(cpuMs);
  await sleep(seconds * 1_000);
  const used = pids.map((pid, index) => cpuMs(pid) - before[index]);
  const [supervisor, ...workers] = pids.map(rssMb);
  await cluster.stop();
  const share = (used.reduce((sum, ms) => sum + ms, 0) / (seconds * 1_000)) * 100;
  return { cpuPercent: share, supervisorMb: supervisor, workerMb: Math.max(...workers) };
}

/** From the command to the first result, one task waiting. */
async function start({ database, folder }) {
  const queue = client(database);
  const id = await queue.asyncTask(noop, payload(0));
  const started = performance.now();
  const cluster = startCluster({ database, folder });
  await queue.result(id, { wait: "30s" });
  const ms = performance.now() - started;
  await queue.close();
  await cluster.stop();
  return { ms };
}

/** Memory of the processes over a long run, without recycling: the second quarter of it against the last. */
async function flat({ database, folder, tasks }) {
  await filled({ database, folder, tasks });
  const cluster = startCluster({ database, folder }, { flags: ["--drain"], env: { QLUSTER_RECYCLE: "0" } });
  await cluster.ready();
  const samples = [];
  const timer = setInterval(() => samples.push(memory(cluster.processes())), 200);
  await cluster.ended();
  clearInterval(timer);

  // The first and the last ones see processes that come and go.
  const whole = samples.slice(1).filter(({ worker }) => worker > 0);
  const quarter = Math.floor(whole.length / 4);
  return Object.fromEntries(
    ["supervisor", "worker"].flatMap((who) => {
      const values = whole.map((sample) => sample[who]);
      return [
        [`${who}Early`, median(values.slice(quarter, 2 * quarter))],
        [`${who}Late`, median(values.slice(-quarter))],
        [`${who}Most`, Math.max(...values)],
      ];
    }),
  );
}

/** Of the supervisor and of its largest worker, in MB; 0 for a process that has ended. */
function memory([supervisor, ...workers]) {
  return { supervisor: ofProcess(supervisor), worker: Math.max(0, ...workers.map(ofProcess)) };
}

function ofProcess(pid) {
  try {
    return rssMb(pid);
  } catch {
    return 0;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await serve({
    ...enqueueVerbs(open),
    drain,
    latency,
    answer,
    iter,
    chain,
    schedule,
    recovery,
    handover,
    idle,
    start,
    flat,
  });
}
