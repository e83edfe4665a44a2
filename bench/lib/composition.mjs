// What chains and iterables cost beside plain tasks.
import { setTimeout as sleep } from "node:timers/promises";
import { link } from "qluster";
import { client, openBackend, unfinished } from "./backend.mjs";
import { startCluster } from "./cluster.mjs";
import { payload, slices } from "./payload.mjs";
import { percentile } from "./statistics.mjs";

/** So many plain tasks from the first call to the last stored end, and then an iterable of as many elements, on one cluster. */
export async function iter({ database, folder, elements }) {
  const queue = client(database);
  const backend = await openBackend(database);
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  const idle = async () => {
    while ((await unfinished(backend)) > 0) await sleep(20);
  };
  const plain = async (tasks) => {
    const started = performance.now();
    for (const slice of slices(tasks)) await queue.asyncTasks(slice.map((order) => link("tasks.noop", order)));
    await idle();
    return performance.now() - started;
  };
  const collected = async (tasks) => {
    const started = performance.now();
    const id = await queue.asyncIter(
      "tasks.noop",
      [...slices(tasks)].flat().map((order) => [order]),
    );
    await idle();
    while ((await queue.status(id))?.state === "running") await sleep(5);
    const flow = await queue.flow(id);
    if (flow?.state !== "succeeded" || flow.done !== tasks) throw new Error(`The iterable is ${JSON.stringify(flow)}.`);
    return performance.now() - started;
  };

  const warm = Math.min(elements, 2_000);
  await plain(warm);
  await collected(warm);
  const found = { times: await ratioOf(plain, collected, elements) };
  await queue.close();
  await cluster.stop();
  await backend[Symbol.asyncDispose]();
  return found;
}

async function ratioOf(plain, collected, elements) {
  const plainMs = await plain(elements);
  return (await collected(elements)) / plainMs;
}

/** A chain of no-op links on an idle cluster, from the call to its results, against as many times the latency of one task. */
export async function chain({ database, folder, links }) {
  const queue = client(database);
  const cluster = startCluster({ database, folder });
  await cluster.ready();
  const waits = [];
  for (let index = -3; index < 50; index += 1) {
    await sleep(50 + (((index + 3) * 37) % 150));
    const called = performance.timeOrigin + performance.now();
    const enteredAt = await queue.result(await queue.asyncTask("tasks.entered"), { wait: "30s" });
    if (index >= 0) waits.push(enteredAt - called);
  }
  await sleep(500);
  const started = performance.now();
  const id = await queue.asyncChain(Array.from({ length: links }, (_, index) => link("tasks.noop", payload(index))));
  const results = await queue.resultGroup(id, { wait: "60s" });
  const ms = performance.now() - started;
  if (results?.length !== links) throw new Error(`${results?.length} results of ${links} links.`);
  await queue.close();
  await cluster.stop();
  return { times: ms / (links * percentile(waits, 50)) };
}
