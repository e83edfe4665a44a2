import { expect, it } from "vitest";
import { link } from "qluster";
import { startRedis } from "../support/redis.js";
import { startsIn } from "../support/traffic.js";
import { until, workshop } from "../support/workshop.js";

const tasks = 5_000;

it("loses nothing and repeats no stored success when the server is killed, restarted and made to forget its scripts in 5,000 tasks", async () => {
  const server = await startRedis({
    flags: ["--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"],
  });
  await using shop = await workshop({ database: server.url, workers: 2, lease: "3s", attempts: 0 });
  await shop.cluster();
  await shop.cluster();
  const ids: string[] = [];
  for (let at = 0; at < tasks; at += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, n) => link("jobs.traced", `t${at + n}`, 2));
    ids.push(...(await shop.q.asyncTasks(batch)));
  }
  const killed = async (): Promise<void> => {
    await server.kill();
    await server.start();
  };
  const restarted = async (): Promise<void> => {
    const run = (): string => server.cli("info", "server").match(/run_id:(\w+)/)![1]!;
    const before = run();
    // It replaces itself, and so answers nothing to who asked.
    try {
      server.cli("debug", "restart");
    } catch {}
    const isBack = (): boolean => {
      try {
        return run() !== before;
      } catch {
        return false;
      }
    };
    await until(isBack, "the server to come back");
  };
  const forgetful = async (): Promise<void> => void server.cli("script", "flush");

  for (const [part, breaks] of [
    [0.1, killed],
    [0.25, forgetful],
    [0.4, restarted],
    [0.6, killed],
  ] as const) {
    await until(() => startsIn(shop).length >= tasks * part, `${part} of the tasks to start`);
    await breaks();
    const before = startsIn(shop).length;
    await until(() => startsIn(shop).length > before + 100, "work to go on within 5 s of the server's return", 5_000);
  }

  await until(async () => (await shop.q.queueSize()) === 0, "the queue to be empty", 120_000);
  const records = await Promise.all(ids.map((id) => shop.q.fetch(id, { wait: "30s" })));
  expect(records.filter((record) => record?.success === true)).toHaveLength(tasks);
  const stops = new Map(records.map((record) => [record!.id as string, record!.stoppedAt.getTime()]));
  expect(startsIn(shop).filter(({ id, at }) => at > (stops.get(id) ?? Infinity))).toEqual([]);
  await server.stop();
});
