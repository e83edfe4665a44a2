// What every peer is measured by. A peer is `{ candidates, open(database), work(database, run, settings) }`:
// `open` resolves to a producer (see enqueue.mjs); `work` connects a worker in this process, and resolves to what starts it;
// `candidates` are the settings of which the fastest is looked for before a peer is measured.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { entered, held as hold, noop } from "./bodies.mjs";
import { drained } from "./drain.mjs";
import { enqueueVerbs, fill } from "./enqueue.mjs";
import { payload } from "./payload.mjs";
import { entries, held, retries } from "./recovery.mjs";
import { percentile } from "./statistics.mjs";
import { serve } from "./verbs.mjs";

/** Measures what the command line asks for. */
export async function servePeer(peer) {
  await serve({
    candidates: () => peer.candidates,
    ...enqueueVerbs(peer.open),
    drain: (options) => drain(peer, options),
    latency: (options) => latency(peer, options),
    recovery: (options) => recovery(peer, options),
    work: (options) => work(peer, options),
  });
}

/** Fills the queue; then measures processes that are connected already, from the word "go" to the last end that is stored. */
async function drain(peer, { database, folder, tasks, settings = {} }) {
  const mark = join(folder, "last");
  const producer = await peer.open(database);
  await fill(producer, { tasks, mark });
  const { processes = 1 } = settings;
  const children = await Promise.all(
    Array.from({ length: processes }, () => startWorker({ database, settings, body: "noop", waits: true })),
  );

  const started = performance.now();
  for (const child of children) child.send("go");
  await drained(mark, producer.left);
  const ms = performance.now() - started;

  const ran = await Promise.all(children.map(ranIn));
  const done = ran.reduce((sum, count) => sum + count, 0);
  const kept = (await producer.kept?.()) ?? tasks;
  await Promise.all(children.map(kill));
  await producer.close();
  if (done !== tasks || kept !== tasks) throw new Error(`${done} of ${tasks} tasks ran, ${kept} are kept as done.`);
  return { rate: (tasks / ms) * 1_000 };
}

/** From the call to the first line of the function, which runs in another process, idle until then. */
async function latency(peer, { database, samples, settings = {} }) {
  const producer = await peer.open(database);
  const child = await startWorker({ database, settings, body: "entered" });
  const waits = [];
  for (let index = -3; index < samples; index += 1) {
    await sleep(50 + (((index + 3) * 37) % 150));
    const arrival = once(child, "message");
    const called = performance.timeOrigin + performance.now();
    await producer.add(payload(index));
    const [{ enteredAt }] = await arrival;
    if (index >= 0) waits.push(enteredAt - called);
  }
  await kill(child);
  await producer.close();
  return { p50: percentile(waits, 50), p99: percentile(waits, 99) };
}

/** Kills a worker with tasks in hand, starts another one at once, and waits until all of them were entered again. */
async function recovery(peer, { database, folder }) {
  const mark = join(folder, "entered");
  const producer = await peer.open(database);
  const settings = { concurrency: held, ...peer.recovery };
  const first = await startWorker({ database, settings, body: "hold", env: { BENCH_HOLD: "1" } });
  for (let index = 0; index < held; index += 1) await producer.add({ ...payload(index), mark });
  await entries(mark, held);
  await kill(first);
  const since = Date.now();
  const second = await startWorker({ database, settings, body: "hold" });
  const times = await entries(mark, 2 * held);
  await kill(second);
  await producer.close();
  return retries(times, since);
}

async function startWorker({ env = {}, ...options }) {
  const child = fork(process.argv[1], ['"work"', JSON.stringify(options)], { env: { ...process.env, ...env } });
  await Promise.race([once(child, "message"), once(child, "exit").then(failed)]);
  return child;
}

function failed([code]) {
  throw new Error(`A worker ended with ${code} before it was up.`);
}

async function ranIn(child) {
  const answer = once(child, "message");
  child.send("count");
  const [{ count }] = await answer;
  return count;
}

async function kill(child) {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** A worker in a process of its own, told what to do by its parent, and ended with it. */
async function work(peer, { database, settings, body, waits = false }) {
  process.on("disconnect", () => process.exit());
  let count = 0;
  const bodies = {
    noop: async (order) => {
      count += 1;
      return await noop(order);
    },
    entered: async () => {
      process.send({ enteredAt: await entered() });
    },
    hold,
  };
  process.on("message", (word) => word === "count" && process.send({ count }));
  const begin = await peer.work(database, bodies[body], settings);
  if (waits) {
    process.send("up");
    await once(process, "message");
  }
  await begin();
  if (!waits) process.send("up");
}
