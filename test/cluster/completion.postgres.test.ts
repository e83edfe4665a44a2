import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { ref } from "qluster";
import { describe, expect, it, onTestFinished } from "vitest";
import { schemaOf } from "../support/postgres.js";
import { execute, postgresOf, rows } from "../support/workshop-store.js";
import { until, workshop, type Workshop } from "../support/workshop.js";

/** Each writes an effect and completes itself in one transaction on the database that the tasks are in. */
const tasks = `
import { createRequire } from "node:module";
const require = createRequire(${JSON.stringify(join(import.meta.dirname, "x.js"))});
const { Client } = require("pg");
const die = () => { process.kill(process.pid, "SIGKILL"); while (true) {} };
async function open({ url, schema }) {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  await client.query('SET search_path = "' + schema + '"');
  return client;
}

export async function transfer(place, label, how, then = "return") {
  started(label);
  const client = await open(place);
  const first = currentTask().attempt === 1;
  try {
    await client.query("BEGIN");
    await client.query("INSERT INTO effect VALUES ($1)", [label]);
    await currentTask().completeIn(client, "done " + label);
    if (how === "twice") await currentTask().completeIn(client, "again");
    if (how === "dies" && first) die();
    if (how === "rolls back" && first) throw new Error("not yet");
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
  if (then === "throw") throw new Error("too late");
  if (then === "die") die();
  if (then === "hang") await sleep(600_000);
  return "ignored";
}

export async function overtaken(place, label) {
  started(label);
  const client = await open(place);
  if (!globalThis.overtaken) {
    globalThis.overtaken = true;
    await client.query("UPDATE qluster_message SET owner = NULL WHERE owner > 0; DELETE FROM qluster_consumer");
  }
  try {
    await client.query("BEGIN");
    await client.query("INSERT INTO effect VALUES ($1)", [label]);
    await currentTask().completeIn(client, "done " + label);
    await client.query("COMMIT");
  } catch (error) {
    trace("refused " + error.code);
    await client.query("ROLLBACK");
    throw error;
  } finally {
    await client.end();
  }
}
`;

describe("a task that completes itself in its own transaction on Postgres", () => {
  it.each([
    ["returns", "return"],
    ["throws", "throw"],
    ["is killed before it could report", "die"],
    ["runs into its time-out", "hang"],
  ])("has succeeded once it has committed, although it then %s", async (_, then) => {
    await using shop = await prepared({ timeout: "2s" });
    const cluster = await shop.cluster();

    const task = ref("jobs.transfer", { hook: "jobs.hook", group: "g" });
    const id = await shop.q.asyncTask(task, placeOf(shop), "a", "commits", then);

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    await cluster.says(/Processed/);
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${id} true done a`)), "the hook");
    expect(await shop.q.attempts(id)).toMatchObject([{ number: 1, ending: "succeeded", counted: true }]);
    expect(await shop.q.countGroup("g")).toBe(1);
    expect(await effects(shop)).toEqual(["a"]);
    expect(shop.trace().filter((line) => line.startsWith("start a"))).toHaveLength(1);
    expect(cluster.log.filter((line) => /Failed/.test(line.msg))).toEqual([]);
  });

  it("has succeeded when the connection was cut between its COMMIT and the answer", async () => {
    await using shop = await prepared();
    const cluster = await shop.cluster();
    const place = { ...placeOf(shop), url: await cuttingProxy(placeOf(shop).url) };

    const id = await shop.q.asyncTask("jobs.transfer", place, "a", "commits");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    await cluster.says(/was completed in its own transaction; what came after changes nothing: Connection terminated/);
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "succeeded" }]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("runs again when its worker is killed before the commit, and its effect is there once", async () => {
    await using shop = await prepared();
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", placeOf(shop), "a", "dies");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    expect(await shop.q.attempts(id)).toMatchObject([{ ending: "died" }, { ending: "succeeded" }]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is retried when its transaction was rolled back", async () => {
    await using shop = await prepared();
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.transfer", placeOf(shop), "a", "rolls back");

    expect(await shop.q.result(id, { wait: "20s" })).toBe("done a");
    expect(await shop.q.attempts(id)).toMatchObject([
      { ending: "error", error: { message: "not yet" } },
      { ending: "succeeded" },
    ]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("is told when its lease was taken over before the commit, and rolls back", async () => {
    await using shop = await prepared({ workers: 1 });
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.overtaken", placeOf(shop), "a");

    expect(await shop.q.result(id, { wait: "30s" })).toBe("done a");
    expect(shop.trace().filter((line) => line.startsWith("refused"))).toEqual(["refused QLUSTER_LEASE_LOST"]);
    expect(await effects(shop)).toEqual(["a"]);
  });

  it("leaves no record with `save: false`, and is told when it does so twice in one transaction", async () => {
    await using shop = await prepared({ attempts: 1 });
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask(ref("jobs.transfer", { save: false }), placeOf(shop), "a", "commits");
    await cluster.says(/Processed/);
    const twice = await shop.q.asyncTask("jobs.transfer", placeOf(shop), "b", "twice");

    await expect(shop.q.result(twice, { wait: "20s" })).rejects.toThrow(/called twice in one transaction/);
    expect(await shop.q.status(id)).toBeUndefined();
    expect(await effects(shop)).toEqual(["a"]);
  });
});

async function prepared(config: Parameters<typeof workshop>[0] = {}): Promise<Workshop> {
  const shop = await workshop(config, tasks);
  await shop.q.open();
  await execute(shop, "CREATE TABLE effect (label text)");
  return shop;
}

function placeOf(shop: Workshop): { readonly url: string; readonly schema: string } {
  const url = new URL(postgresOf(shop)!);
  const schema = schemaOf(url);
  url.search = "";
  return { url: url.href, schema };
}

async function effects(shop: Workshop): Promise<string[]> {
  return (await rows<{ label: string }>(shop, "SELECT label FROM effect")).map(({ label }) => label);
}

/** Hands COMMIT on, and cuts the connection when the server answers it. */
async function cuttingProxy(target: string): Promise<string> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isCommitting = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => void (client.destroy(), upstream.destroy()));
    }
    client.on("data", (chunk) => {
      isCommitting ||= chunk.includes("COMMIT");
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => void (isCommitting ? client.destroy() : client.write(chunk)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return url.href;
}
