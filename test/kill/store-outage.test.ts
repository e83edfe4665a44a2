import { expect, it } from "vitest";
import { createQluster } from "qluster";
import { holdLock } from "../support/hold-lock.js";
import { ownDatabase } from "../support/server.js";
import { until, workshop } from "../support/workshop.js";

const wait = { wait: "60s" } as const;

it("waits while another process holds the write lock for 30 s, keeps deadlines exact, and loses no result", async () => {
  await using shop = await workshop({
    ...(await ownDatabase()),
    workers: 2,
    lease: "60s",
    timeout: "5s",
    killAfter: "500ms",
    attempts: 1,
  });
  const cluster = await shop.cluster();
  const { asyncTask } = shop.q;
  const working = await asyncTask("jobs.traced", "working", 3_000);
  const endless = await asyncTask("jobs.spin", "endless");
  await until(() => shop.trace().length === 2, "both tasks to start");

  const { released } = await holdLock(shop, 30_000);
  await cluster.says(/store cannot be reached/);
  await released;

  expect(await shop.q.result(working, wait)).toBe("working");
  const finished = await shop.q.fetch(endless, wait);
  expect(finished).toMatchObject({ success: false, error: { name: "TaskTimeoutError" } });
  const tookMs = finished!.stoppedAt.getTime() - finished!.startedAt.getTime();
  expect(tookMs).toBeGreaterThanOrEqual(5_400);
  expect(tookMs).toBeLessThan(6_000);
  await cluster.says(/store is back/);
  expect(cluster.log.filter((line) => /cannot be reached/.test(line.msg))).toHaveLength(1);
  expect(await shop.q.result(await asyncTask("jobs.add", 1, 2), wait)).toBe(3);
});

it("exits with 1 and says how many tasks run again when results cannot be stored (P292)", async () => {
  await using shop = await workshop({ ...(await ownDatabase()), lease: "60s", grace: "2s", workers: 1 });
  const cluster = await shop.cluster();
  const id = await shop.q.asyncTask("jobs.traced", "again", 1_000);
  await until(() => shop.trace().length === 1, "the task to start");
  const { released } = await holdLock(shop, 20_000);
  await cluster.says(/store cannot be reached/);

  cluster.kill("SIGTERM");

  expect(await cluster.exited).toBe(1);
  await cluster.says(/1 .*(run|runs) again/);
  await released;
  const other = createQluster(shop.config, { root: shop.folder });
  // A server may still carry out what was waiting for the lock: the goodbye, or even the result.
  const { database } = shop.config;
  const isFile = typeof database === "string" && database.startsWith("sqlite:");
  expect(isFile ? ["running"] : ["running", "queued", "succeeded"]).toContain((await other.status(id))?.state);
  await other.close();
});
