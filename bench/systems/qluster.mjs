// Qluster as a user runs it: the public API in one process, the command `qluster cluster` in another.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createQluster, link } from "qluster";
import { settings, startCluster } from "../lib/cluster.mjs";
import { inFolder } from "../lib/folder.mjs";
import { payload } from "../lib/payload.mjs";
import { cpuMs, rssMb } from "../lib/processes.mjs";
import { openSqlite } from "../lib/sqlite.mjs";
import { median, percentile } from "../lib/statistics.mjs";

const noop = "tasks.noop";
function open(folder) {
  const { QLUSTER_DATABASE: database, QLUSTER_SECRET: secret } = settings(folder);
  return createQluster({ name: "bench", database, secret, logLevel: "warn" });
}

/** Fills the queue, then measures one cluster from the moment its workers are up to the last end that is stored. */
async function drain(folder, { tasks }) {
  await fill(folder, { tasks });
  const cluster = startCluster(folder, ["--drain"]);
  await cluster.ended();

  const ready = await cluster.ready();
  const database = await openSqlite(join(folder, "qluster.db"));
  const [row] = database
    .prepare("select count(*) as done, max(finished_at) as last from qluster_task where state = 'succeeded'")
    .all();
  const [left] = database.prepare("select count(*) as count from qluster_message").all();
  database.close();
  if (row.done !== tasks || left.count !== 0) throw new Error(`${row.done} of ${tasks} done, ${left.count} left.`);
  return { ms: row.last - ready };
}

/** Queues no-op tasks, 1,000 in a write. */
export async function fill(folder, { tasks }) {
  const queue = open(folder);
  for (let at = 0; at < tasks; at += 1_000) await queue.asyncTasks(links(at, Math.min(1_000, tasks - at)));
  await queue.close();
  return {};
}

async function bulk(folder, { tasks }) {
  const queue = await warm(folder);
  const started = performance.now();
  for (let at = 0; at < tasks; at += 1_000) await queue.asyncTasks(links(at, Math.min(1_000, tasks - at)));
  return await timed(queue, started);
}

/** One by one, each awaited. */
async function single(folder, { tasks }) {
  const queue = await warm(folder);
  const started = performance.now();
  for (let index = 0; index < tasks; index += 1) await queue.asyncTask(noop, payload(index));
  return await timed(queue, started);
}

/** 64 callers, each of which awaits its own call. */
async function concurrent(folder, { tasks }) {
  const queue = await warm(folder);
  let next = 0;
  const caller = async () => {
    while (next < tasks) await queue.asyncTask(noop, payload(next++));
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: 64 }, caller));
  return await timed(queue, started);
}

async function warm(folder) {
  const queue = open(folder);
  await queue.asyncTask(noop, payload(0));
  return queue;
}

async function timed(queue, started) {
  const ms = performance.now() - started;
  await queue.close();
  return { ms };
}

function links(from, count) {
  return Array.from({ length: count }, (_, index) => link(noop, payload(from + index)));
}

/** From the call of asyncTask to the first line of the function, on an idle cluster in another process. */
async function latency(folder, { samples }) {
  const queue = open(folder);
  const cluster = startCluster(folder, []);
  await cluster.ready();
  await once(queue);
  const waits = [];
  for (let index = 0; index < samples; index += 1) {
    await sleep(50 + ((index * 37) % 150));
    waits.push(await once(queue));
  }
  await queue.close();
  await cluster.stop();
  return { p50: percentile(waits, 50), p99: percentile(waits, 99), most: Math.max(...waits), samples };
}

async function once(queue) {
  const called = performance.timeOrigin + performance.now();
  const id = await queue.asyncTask("tasks.entered");
  return (await queue.result(id, { wait: "30s" })) - called;
}

/** What a cluster with nothing to do costs. */
async function idle(folder, { seconds }) {
  const cluster = startCluster(folder, []);
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
async function start(folder) {
  const queue = open(folder);
  const id = await queue.asyncTask(noop, payload(0));
  const started = performance.now();
  const cluster = startCluster(folder, []);
  await queue.result(id, { wait: "30s" });
  const ms = performance.now() - started;
  await queue.close();
  await cluster.stop();
  return { ms };
}

/** Memory of the processes over a long run, without recycling: the second quarter of it against the last. */
async function flat(folder, { tasks }) {
  await fill(folder, { tasks });
  const cluster = startCluster(folder, ["--drain"], { QLUSTER_RECYCLE: "0" });
  await cluster.ready();
  const samples = [];
  const timer = setInterval(() => samples.push(memory(cluster.processes())), 200);
  await cluster.ended();
  clearInterval(timer);

  // The first and the last ones see processes that come and go.
  const whole = samples.slice(1).filter(({ worker }) => worker > 0);
  const quarter = Math.floor(whole.length / 4);
  return {
    supervisor: change(
      whole.map((sample) => sample.supervisor),
      quarter,
    ),
    worker: change(
      whole.map((sample) => sample.worker),
      quarter,
    ),
    samples: whole.length,
  };
}

function change(values, quarter) {
  return {
    early: median(values.slice(quarter, 2 * quarter)),
    late: median(values.slice(-quarter)),
    most: Math.max(...values),
  };
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

const verbs = { drain, fill, bulk, single, concurrent, latency, idle, start, flat };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, options] = process.argv.slice(2).map((arg) => JSON.parse(arg));
  console.log(JSON.stringify(await inFolder((folder) => verbs[verb](folder, options))));
}
