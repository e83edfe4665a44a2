import { afterAll, beforeAll, expect, it } from "vitest";
import { link } from "qluster";
import { emptyPlace } from "../support/postgres.js";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { until, workshop } from "../support/workshop.js";

const tasks = 5_000;
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres({ fsync: true });
});
afterAll(() => server.remove());

it("loses nothing and repeats no stored success when the server crashes three times in 5,000 tasks, and is soon back at work", async () => {
  await using shop = await workshop({
    database: emptyPlace({}, server.url).href,
    workers: 2,
    lease: "3s",
    attempts: 0,
  });
  await shop.cluster();
  await shop.cluster();
  const ids: string[] = [];
  for (let at = 0; at < tasks; at += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, n) => link("jobs.traced", `t${at + n}`, 2));
    ids.push(...(await shop.q.asyncTasks(batch)));
  }

  for (const part of [0.15, 0.4, 0.65]) {
    await until(() => shop.trace().length >= tasks * part, `${part} of the tasks to start`);
    server.restart("immediate");
    const before = shop.trace().length;
    await until(() => shop.trace().length > before + 100, "work to go on within 5 s of the server's return", 5_000);
  }

  await until(async () => (await shop.q.queueSize()) === 0, "the queue to be empty", 120_000);
  const records = await Promise.all(ids.map((id) => shop.q.fetch(id, { wait: "30s" })));
  expect(records.filter((record) => record?.success === true)).toHaveLength(tasks);
  const stops = new Map(records.map((record) => [record!.id as string, record!.stoppedAt.getTime()]));
  const late = shop
    .trace()
    .map((line) => line.split(" "))
    .filter(([kind, , id = "", , at]) => kind === "start" && Number(at) > (stops.get(id) ?? Infinity));
  expect(late).toEqual([]);
});
