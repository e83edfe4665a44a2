import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { emptyPlace, schemaOf } from "../support/postgres.js";
import { startPostgres, type PostgresServer } from "../support/postgres-server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { backAtWork, startsIn, startTraffic } from "../support/traffic.js";
import { until, workshop, type Workshop } from "../support/workshop.js";

const mostConnections = 40;
let server: PostgresServer;
let network: TcpProxy;
let shop: Workshop;
let schema: string;

beforeAll(async () => {
  server = await startPostgres({ settings: [`max_connections=${mostConnections}`] });
  network = await startTcpProxy(server.port);
  const place = emptyPlace({}, network.through(server.url));
  schema = schemaOf(place);
  shop = await workshop({ database: place.href, workers: 1, attempts: 2, enqueueTimeout: "2s" });
  await Promise.all([shop.cluster(), shop.cluster()]);
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await network.close();
  server.remove();
});

/** Another hand at the server, which none of its limits concern. */
async function hand(): Promise<Client> {
  const client = new Client({ connectionString: server.url });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.end());
  await client.query("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0");
  return client;
}

const others = "pid <> pg_backend_pid() AND application_name = 'qluster'";

it("loses nothing and repeats nothing when its connections are terminated in the middle of everything", async () => {
  const client = await hand();
  const traffic = startTraffic(shop, "terminated", 20_000);

  for (let round = 0; round < 60; round++) {
    await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others} AND random() < 0.5`);
    await pause(30);
  }
  await backAtWork(shop, "after_termination");

  await traffic.stop();
  await traffic.check();
});

it("waits through statements and transactions that the server ends for taking too long", async () => {
  const client = await hand();
  await client.query("ALTER SYSTEM SET statement_timeout = 150");
  await client.query("ALTER SYSTEM SET idle_in_transaction_session_timeout = 150");
  await client.query("SELECT pg_reload_conf()");
  const traffic = startTraffic(shop, "timed_out", 20_000);
  const failing = await Promise.all(Array.from({ length: 20 }, (_, n) => shop.q.asyncTask("jobs.fails", `fails${n}`)));

  for (let round = 0; round < 4; round++) {
    await client.query("BEGIN");
    await client.query(`LOCK TABLE "${schema}".qluster_message IN ACCESS EXCLUSIVE MODE`);
    await pause(300);
    await client.query("COMMIT");
    // Between two statements of one transaction, the server waits for longer than it may.
    network.delayMs = 100;
    await pause(400);
    network.delayMs = 0;
  }
  await client.query("ALTER SYSTEM RESET ALL");
  await client.query("SELECT pg_reload_conf()");
  await backAtWork(shop, "after_time_outs");

  await traffic.stop();
  await traffic.check();
  for (const id of failing) expect(await shop.q.fetch(id, { wait: "30s" })).toMatchObject({ attempts: 2 });
  expect(startsIn(shop).filter(({ label }) => label.startsWith("fails"))).toHaveLength(2 * failing.length);
});

it("waits while the server has no connection left, and goes on when it has", async () => {
  const client = await hand();
  const traffic = startTraffic(shop, "crowded", 20_000);
  await until(() => traffic.confirmed.size > 10, "the application to enqueue");

  const crowd = await fill();
  await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others}`);
  const last = await fill();
  await pause(2_000);
  await Promise.all([...crowd, ...last].map((one) => one.end()));
  await backAtWork(shop, "after_the_crowd");

  await traffic.stop();
  await traffic.check();
});

/** Opens connections until the server refuses one. */
async function fill(): Promise<Client[]> {
  const crowd: Client[] = [];
  while (crowd.length < mostConnections) {
    const client = new Client({ connectionString: server.url });
    client.on("error", () => {});
    try {
      await client.connect();
    } catch {
      return crowd;
    }
    crowd.push(client);
  }
  throw new Error("The server refused nobody.");
}
