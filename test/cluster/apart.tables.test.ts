import { join } from "node:path";
import { expect, it } from "vitest";
import { startCluster } from "qluster/cluster";
import { makeFolder } from "../cli/run-cli.js";
import { holdLock } from "../support/hold-lock.js";
import { until, workshop } from "../support/workshop.js";

const wait = { wait: "30s" } as const;

it("runs tasks of a store whose broker is another file, with hooks, retries and delays", async () => {
  await using shop = await workshop({ broker: "sqlite:broker.db", lease: "3s" });
  const cluster = await shop.cluster();
  const { ref } = await import("qluster");
  const { asyncTask } = shop.q;

  const sum = await asyncTask(ref("jobs.add", { hook: "jobs.hook" }), 1, 2);
  const late = await asyncTask(ref("jobs.traced", { delay: "700ms" }), "late");
  const failing = await asyncTask(ref("jobs.fails", { attempts: 3 }), "failing");

  expect(await shop.q.result(sum, wait)).toBe(3);
  expect(await shop.q.result(late, wait)).toBe("late");
  expect(await shop.q.fetch(failing, wait)).toMatchObject({ success: false, attempts: 3 });
  await until(() => shop.trace().some((line) => line.startsWith("hook")), "the hook to run");
  expect(await shop.q.queueSize()).toBe(0);
  cluster.kill("SIGTERM");
  expect(await cluster.exited).toBe(0);
});

it("stores results, keeps its lease and takes new tasks in while the broker does not answer, and runs them afterwards", async () => {
  await using shop = await workshop({ broker: "sqlite:broker.db", lease: "2s" });
  const cluster = await shop.cluster();
  const running = await shop.q.asyncTask("jobs.traced", "running", 1_000);
  await until(() => shop.trace().length === 1, "the task to start");

  const { released } = await holdLock(
    { config: { ...shop.config, database: `sqlite:${join(shop.folder, "broker.db")}` } },
    6_000,
  );
  const during = await shop.q.asyncTask("jobs.add", 2, 3);
  expect(await shop.q.result(running, { wait: "4s" })).toBe("running");
  await released;

  expect(await shop.q.result(during, wait)).toBe(5);
  expect(shop.trace()).toHaveLength(1);
  expect(cluster.log.filter((line) => /lease was lost/.test(line.msg))).toEqual([]);
});

it.each(["broker", "cache"] as const)("refuses to start with a %s that is private to a process", async (role) => {
  await using shop = await workshop({ [role]: "memory:" });

  await expect(startCluster(shop.config, { root: shop.folder })).rejects.toThrow(
    new RegExp(`${role}: "memory:" is private to one process`),
  );
});

it("says in info and config print what takes which role (P011, P256)", async () => {
  using folder = makeFolder({
    "qluster.config.json": JSON.stringify({ name: "shop", database: "sqlite:q.db", broker: "sqlite:broker.db" }),
  });
  await folder.run("migrate");

  const info = await folder.run("info");
  const printed = await folder.run("config", "print");

  expect(info.stdout).toMatch(/shop on SQLite [^]*broker\.db; tasks in SQLite [^]*q\.db/);
  expect(printed.stdout).toMatch(/^broker +sqlite:.*broker\.db +file$/m);
  expect(printed.stdout).toMatch(/^cache +the database +default$/m);
});
