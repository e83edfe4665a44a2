// plainjob, as its README uses it, but for a logger that writes nothing: its default prints several lines for each job.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { better, defineQueue, defineWorker, JobStatus } from "plainjob";
import { inFolder } from "../lib/folder.mjs";
import { payload } from "../lib/payload.mjs";

// better-sqlite3 12 is the last that runs on Node 20; 13 has its binaries inside and needs 22.
const major = Number(process.versions.node.split(".")[0]);
const { default: Database } = await import(major < 22 ? "better-sqlite3" : "better-sqlite3-13");
const quiet = { error: console.error, warn() {}, info() {}, debug() {} };

const open = (folder) => defineQueue({ connection: better(new Database(join(folder, "plainjob.db"))), logger: quiet });

const verbs = { drain, drainProcesses, bulk, single };
const [verb, options] = process.argv.slice(2).map((arg) => JSON.parse(arg));
if (verb === "work") await work(options);
else console.log(JSON.stringify(await inFolder((folder) => verbs[verb](folder, options))));

/** One worker in the process: milliseconds from its start to the end of the last job. */
async function drain(folder, { tasks }) {
  const queue = filled(folder, tasks);
  let done = 0;
  let resolve;
  const finished = new Promise((settle) => (resolve = settle));
  const worker = defineWorker("noop", async (job) => void JSON.parse(job.data), {
    queue,
    logger: quiet,
    onCompleted: () => ++done === tasks && resolve(),
  });
  const started = performance.now();
  void worker.start();
  await finished;
  const ms = performance.now() - started;
  await worker.stop();
  check(queue, tasks);
  return { ms };
}

/** Several processes, as in the README's "Multi-process Workers". They are up before the clock starts. */
async function drainProcesses(folder, { tasks, workers }) {
  const queue = filled(folder, tasks);
  const script = process.argv[1];
  const args = [JSON.stringify("work"), JSON.stringify({ folder })];
  const children = Array.from({ length: workers }, () => fork(script, args));
  await Promise.all(children.map((child) => once(child, "message")));

  const started = performance.now();
  for (const child of children) child.send("go");
  while (queue.countJobs({ status: JobStatus.Done }) < tasks) await new Promise((resolve) => setTimeout(resolve, 20));
  const ms = performance.now() - started;
  await Promise.all(children.map(async (child) => await killed(child)));
  check(queue, tasks);
  return { ms };
}

async function killed(child) {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function work({ folder }) {
  const queue = open(folder);
  const worker = defineWorker("noop", async (job) => void JSON.parse(job.data), { queue, logger: quiet });
  process.send("up");
  await once(process, "message");
  await worker.start();
}

/** addMany, 1,000 at a time. */
async function bulk(folder, { tasks }) {
  const queue = open(folder);
  queue.addMany("warm", [payload(0)]);
  const started = performance.now();
  for (let at = 0; at < tasks; at += 1_000) queue.addMany("noop", payloads(at, Math.min(1_000, tasks - at)));
  const ms = performance.now() - started;
  queue.close();
  return { ms };
}

/** add is synchronous: one by one, and as many at once as you like, are the same. */
async function single(folder, { tasks }) {
  const queue = open(folder);
  queue.add("warm", payload(0));
  const started = performance.now();
  for (let index = 0; index < tasks; index += 1) queue.add("noop", payload(index));
  const ms = performance.now() - started;
  queue.close();
  return { ms };
}

function filled(folder, tasks) {
  const queue = open(folder);
  queue.addMany("noop", payloads(0, tasks));
  return queue;
}

function payloads(from, count) {
  return Array.from({ length: count }, (_, index) => payload(from + index));
}

function check(queue, tasks) {
  const done = queue.countJobs({ status: JobStatus.Done });
  queue.close();
  if (done !== tasks) throw new Error(`plainjob has done ${done} of ${tasks} jobs.`);
}
