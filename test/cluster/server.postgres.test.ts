import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyPlace } from "../support/postgres.js";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { workshop } from "../support/workshop.js";

let server: PostgresServer;
const password = "s3cret";

beforeAll(async () => {
  server = await startPostgres({ auth: "scram-sha-256", password });
});
afterAll(() => server.remove());

function place(): URL {
  const url = emptyPlace({}, server.url);
  url.password = password;
  return url;
}

it("waits at its start for a server that is away, and runs what was enqueued meanwhile", async () => {
  server.halt("fast");
  await using shop = await workshop({ database: place().href, workers: 1, enqueueTimeout: "60s" });
  const cluster = await shop.cluster({ noWait: true });
  const enqueued = shop.q.asyncTask("jobs.add", 1, 2);
  await cluster.says(/store cannot be reached; .*127\.0\.0\.1:\d+\/postgres .*Check that it runs/);

  server.start();

  await cluster.says(/store is back/);
  expect(await shop.q.result(await enqueued, { wait: "30s" })).toBe(3);
  expect(cluster.log.map(({ msg }) => msg).join("\n")).not.toContain(password);
});

it("stops when it is told to while it waits for its server", async () => {
  server.halt("fast");
  await using shop = await workshop({ database: place().href, workers: 1 });
  const cluster = await shop.cluster({ noWait: true });
  await cluster.says(/store cannot be reached/);

  cluster.kill("SIGTERM");

  expect(await cluster.exited).toBe(0);
  server.start();
});

it("refuses to start with a wrong password, and says what to do", async () => {
  const url = place();
  url.password = "wr0ng";
  await using shop = await workshop({ database: url.href, workers: 1 });

  const cluster = await shop.cluster({ noWait: true });

  expect(await cluster.exited).toBe(2);
  const said = cluster.log.map(({ msg }) => msg).join("\n");
  expect(said).toMatch(/password authentication failed.*Check user and password/);
  expect(said).not.toContain("wr0ng");
});
