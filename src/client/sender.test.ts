import { afterEach, beforeEach, expect, it } from "vitest";
import { testConfig } from "../../test/support/each-queue.js";
import { memoryBackend } from "../backends/memory/index.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { humanName } from "../core/ids.js";
import { createQluster } from "./create-qluster.js";
import { ref, task } from "./task.js";

const double = task("sender.double", (n: number) => n * 2);

let backend: Backend;
beforeEach(() => {
  backend = memoryBackend();
});
afterEach(() => backend[Symbol.asyncDispose]());

it("tells the application's logger of each task that was queued, with queue, id and name (P083)", async () => {
  const said: unknown[] = [];
  const ignore = (): void => {};
  const logger = { debug: (...line: unknown[]) => said.push(line), info: ignore, warn: ignore, error: ignore };
  await using q = createQluster({ ...testConfig, logger }, { backend, env: {} });

  const plain = await q.asyncTask(double, 1);
  const named = await q.asyncTask(double.with({ taskName: "nightly", queue: "media" }), 2);

  const fields = { task: "sender.double" };
  expect(said).toEqual([
    [`Enqueued [test] ${plain}`, { ...fields, taskId: plain, name: humanName(plain), queue: "test" }],
    [`Enqueued [media] ${named}`, { ...fields, taskId: named, name: "nightly", queue: "media" }],
  ]);
});

it("deflates large tasks with the option compress, and only then (P029)", async () => {
  await using small = createQluster({ ...testConfig, compress: true }, { backend, env: {} });
  await using plain = createQluster(testConfig, { backend, env: {} });
  const words = "the same again ".repeat(1_000);

  const ids = [await small.asyncTask(ref("x"), words), await plain.asyncTask(ref("x"), words)];

  const stored = await backend.store.get(ids);
  const [deflated = 0, whole = 0] = ids.map((id) => stored.find((one) => one.id === id)!.envelope.length);
  expect(deflated).toBeLessThan(1_000);
  expect(whole).toBeGreaterThan(words.length);
});

it("shares one backend between clients, which none of them closes (P076, P246)", async () => {
  const first = createQluster(testConfig, { backend, env: {} });
  await using second = createQluster(testConfig, { backend, env: {} });
  const id = await first.asyncTask(double, 4);
  await first.close();
  await runQueued(backend);

  expect(await second.result(id)).toBe(8);
});

it("counts in queueSize what waits in the broker, not what a cluster holds (P111)", async () => {
  await using q = createQluster(testConfig, { backend, env: {} });
  const cluster = { id: "c1", host: "web-1", pid: 1 };
  const holder = await backend.broker.consume({ queues: ["test"], leaseMs: 60_000, cluster });
  await q.asyncTask(double, 1);
  await q.asyncTask(double, 2);
  await q.asyncTask(double.with({ queue: "media" }), 3);

  await holder.take({ max: 1, waitMs: 0 });

  expect([await q.queueSize("test"), await q.queueSize("media"), await q.queueSize()]).toEqual([1, 1, 2]);
  await holder.close();
});

it("gives the status of one cluster by its id, and of an unknown one that it has stopped (P328)", async () => {
  await using q = createQluster(testConfig, { backend, env: {} });
  const unknown = await q.cluster("c1");
  await backend.store.beat({ ...unknown, name: "shop", status: "Working", workers: [] }, 60_000);
  await backend.store.beat({ ...unknown, clusterId: "c2", status: "Idle" }, 60_000);

  expect(unknown).toMatchObject({ clusterId: "c1", status: "Stopped", workers: [], running: [] });
  expect(await q.cluster("c1")).toMatchObject({ name: "shop", status: "Working" });
  expect((await q.clusters()).map(({ clusterId }) => clusterId).toSorted()).toEqual(["c1", "c2"]);
  await expect(q.cluster("")).rejects.toThrow(/id is ""/);
});
