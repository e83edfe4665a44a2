import { randomBytes } from "node:crypto";
import pg from "pg";
import { Sequelize } from "sequelize";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createQluster, ref } from "../../src/index.js";
import type { Qluster } from "../../src/index.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";
import { secret } from "../support/run-queued.js";
import { postgresLibraries } from "./postgres-libraries.js";
import { describePromises, echo, type Place } from "./promises.js";

const [application, elsewhere] = [`app_${randomBytes(6).toString("hex")}`, `other_${randomBytes(6).toString("hex")}`];

beforeAll(async () => {
  const server = new pg.Client({ connectionString: inDatabase("postgres").href });
  await server.connect();
  for (const name of [application, elsewhere]) await server.query(`CREATE DATABASE ${name}`);
  await server.end();
  return async () => {
    const cleaner = new pg.Client({ connectionString: inDatabase("postgres").href });
    await cleaner.connect();
    for (const name of [application, elsewhere]) await cleaner.query(`DROP DATABASE ${name}`);
    await cleaner.end();
  };
});

describePromises(postgresLibraries, preparePlace);

describe("a unique key that another open transaction holds", () => {
  it("is waited for during lockTimeout; then the caller is told, and its transaction goes on (P088)", async () => {
    const { q, begin, items } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await one.query("SET LOCAL lock_timeout = '77s'");
    await other.query("SET LOCAL lock_timeout = '77s'");
    const first = await q.in(one).asyncTask(ref(echo, { unique: "u" }), 1);
    const started = performance.now();

    const held = q.in(other, { lockTimeout: "300ms" }).asyncTask(ref(echo, { unique: "u" }), 2);

    await expect(held).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(290);
    expect(performance.now() - started).toBeLessThan(5_000);
    const { rows } = await other.query<{ lock_timeout: string }>("SHOW lock_timeout");
    expect(rows[0]?.lock_timeout).toBe("77s");
    await other.query("INSERT INTO item (name) VALUES ('goes on')");
    await one.query("COMMIT");
    expect(await q.in(other).asyncTask(ref(echo, { unique: "u" }), 2)).toBe(first);
    await other.query("COMMIT");
    expect(await items()).toEqual(["goes on"]);
    expect(await q.queueSize()).toBe(1);
  });

  it("is got as soon as the other one rolls back", async () => {
    const { q, begin } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await q.in(one).asyncTask(ref(echo, { unique: "u" }), 1);

    const waiting = q.in(other, { lockTimeout: "20s" }).asyncTask(ref(echo, { unique: "u" }), 2);
    await one.query("ROLLBACK");
    const second = await waiting;
    await other.query("COMMIT");

    expect(await q.queueSize()).toBe(1);
    expect((await q.status(second))?.state).toBe("queued");
  });

  it("never ends in a deadlock that takes a transaction with it", async () => {
    const { q, begin } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await q.in(one).asyncTask(ref(echo, { unique: "a" }), 1);
    await q.in(other).asyncTask(ref(echo, { unique: "b" }), 2);

    const crossed = await Promise.allSettled([
      q.in(one, { lockTimeout: "4s" }).asyncTask(ref(echo, { unique: "b" }), 1),
      q
        .in(other, { lockTimeout: "3s" })
        .asyncTask(ref(echo, { unique: "a" }), 2)
        .finally(() => void other.query("COMMIT")),
    ]);
    await one.query("COMMIT");

    expect(crossed.filter(({ status }) => status === "rejected").length).toBeGreaterThanOrEqual(1);
    expect(await q.queueSize()).toBeGreaterThanOrEqual(2);
  });
});

describe("the name of a schedule that another open transaction has taken", () => {
  const rule = { type: "DAILY", name: "report", args: [1] } as const;

  it("is waited for during lockTimeout; then the caller is told, and its transaction goes on (P183, P217)", async () => {
    const { q, begin, items } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await q.in(one).schedule(echo, rule);
    const started = performance.now();

    const held = q.in(other, { lockTimeout: "300ms" }).schedule(echo, rule);

    await expect(held).rejects.toThrow(/schedule with the name "report"; it was waited for 300 ms/);
    await expect(held).rejects.toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE" });
    expect(performance.now() - started).toBeGreaterThanOrEqual(290);
    expect(performance.now() - started).toBeLessThan(5_000);
    await other.query("INSERT INTO item (name) VALUES ('goes on')");
    await q.in(other).schedule(echo, { ...rule, name: "another" });
    await one.query("COMMIT");
    await expect(q.in(other).schedule(echo, rule)).rejects.toThrow(/named "report" already/);
    await other.query("COMMIT");
    expect(await items()).toEqual(["goes on"]);
    expect((await q.schedules.list()).map(({ name }) => name).sort()).toEqual(["another", "report"]);
  });

  it("is got as soon as the other one rolls back", async () => {
    const { q, begin } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await q.in(one).schedule(echo, rule);

    const waiting = q.in(other, { lockTimeout: "20s" }).schedule(echo, rule);
    await one.query("ROLLBACK");
    const made = await waiting;
    await other.query("COMMIT");

    expect((await q.schedules.list()).map(({ id }) => id)).toEqual([made.id]);
  });

  it("never ends in a deadlock that takes a transaction with it", async () => {
    const { q, begin } = await withClients();
    const [one, other] = [await begin(), await begin()];
    await q.in(one).schedule(echo, { ...rule, name: "a" });
    await q.in(other).schedule(echo, { ...rule, name: "b" });

    const crossed = await Promise.allSettled([
      q.in(one, { lockTimeout: "1s" }).schedule(echo, { ...rule, name: "b" }),
      q.in(other, { lockTimeout: "500ms" }).schedule(echo, { ...rule, name: "a" }),
    ]);
    await one.query("COMMIT");
    await other.query("COMMIT");

    expect(crossed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect((await q.schedules.list()).map(({ name }) => name).sort()).toEqual(["a", "b"]);
  });
});

describe("what is refused before it could take the transaction with it", () => {
  it("is a client without a transaction, and one whose transaction has failed", async () => {
    const { q, begin } = await withClients();
    const tx = await begin();
    await tx.query("COMMIT");

    await expect(q.in(tx).asyncTask(echo, 1)).rejects.toThrow(/No transaction of pg is open/);
    await tx.query("BEGIN");
    await tx.query("SELECT 1 / 0").catch(() => {});
    // It hears of its failed transaction a moment after the error.
    await expect.poll(() => tx.getTransactionStatus()).toBe("E");
    await expect(q.in(tx).asyncTask(echo, 1)).rejects.toThrow(/has failed already/);
    await tx.query("ROLLBACK");

    expect(await q.queueSize()).toBe(0);
  });

  it("is a role that may not write to our tables; granted what the message says, it may", async () => {
    const { q, ours, plain } = await withClients();
    const role = `app_${randomBytes(6).toString("hex")}`;
    const schema = schemaOf(ours);
    await plain.query(`CREATE ROLE ${role} LOGIN`);
    onTestFinished(async () => {
      await plain.query(`DROP OWNED BY ${role}`);
      await plain.query(`DROP ROLE ${role}`);
    });
    const limited = new URL(ours);
    limited.username = role;
    const tx = await connectTo(limited);
    await tx.query("BEGIN");

    await expect(q.in(tx).asyncTask(echo, 1)).rejects.toThrow(`role "${role}", which may not write`);
    await plain.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    await plain.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    await q.in(tx).asyncTask(ref(echo, { unique: "u" }), 1);
    await tx.query("COMMIT");

    expect(await q.queueSize()).toBe(1);
  });
});

describe("q.afterCommit with a transaction of Sequelize on another database", () => {
  it.each([
    ["commits", true, 1],
    ["rolls back", false, 0],
  ])("enqueues when it %s, without being told", async (_, commits, count) => {
    const { q, ours } = await withClients();
    const other = inDatabase(elsewhere);
    other.search = "";
    const sequelize = new Sequelize(other.href, { logging: false });
    onTestFinished(() => sequelize.close());
    const tx = await sequelize.transaction();

    const later = q.afterCommit(tx);
    await later.asyncTask(echo, 1);
    await expect(q.in(tx).asyncTask(echo, 1)).rejects.toThrow(/cannot commit together/);
    expect(await q.queueSize()).toBe(0);
    await (commits ? tx.commit() : tx.rollback());

    expect(await q.queueSize()).toBe(count);
    expect(ours.pathname).not.toBe(other.pathname);
  });
});

it("writes in a serializable transaction too, and under whatever search_path", async () => {
  const { q, begin } = await withClients();
  const tx = await begin("BEGIN ISOLATION LEVEL SERIALIZABLE");
  await tx.query("SET LOCAL search_path = nowhere");

  await q.in(tx).asyncTask(ref(echo, { unique: "u" }), 1);
  await tx.query("COMMIT");

  expect(await q.queueSize()).toBe(1);
});

interface Clients {
  readonly q: Qluster;
  readonly ours: URL;
  readonly plain: pg.Client;
  readonly begin: (statement?: string) => Promise<pg.Client>;
  readonly items: Place["items"];
}

/** A queue, and clients of `pg` on the same database, each with a transaction of its own. */
async function withClients(): Promise<Clients> {
  const { backend, ours, plain, items } = await prepare();
  const q = createQluster(
    { name: "test", database: "memory:", secret },
    { root: import.meta.dirname, env: {}, backend },
  );
  onTestFinished(() => q.close());
  await q.open();
  return {
    q,
    ours,
    plain,
    items,
    begin: async (statement = "BEGIN") => {
      const client = await connectTo(ours);
      await client.query(statement);
      return client;
    },
  };
}

async function preparePlace(): Promise<Place> {
  return await prepare();
}

/** The application's tables are in `public`, ours in a schema beside it. */
async function prepare(): Promise<Place & { readonly ours: URL; readonly plain: pg.Client }> {
  const ours = inDatabase(application);
  const address = new URL(ours);
  address.search = "";
  const backend = await openAt(ours, { project: "test" });
  onTestFinished(() => backend[Symbol.asyncDispose]());
  const plain = await connectTo(ours);
  await plain.query("CREATE TABLE IF NOT EXISTS item (name text, at bigint GENERATED ALWAYS AS IDENTITY)");
  await plain.query("TRUNCATE item");
  return {
    backend,
    ours,
    plain,
    address: address.href,
    elsewhere: async () => {
      const other = inDatabase(elsewhere);
      other.search = "";
      return other.href;
    },
    items: async () => {
      const { rows } = await plain.query<{ name: string }>("SELECT name FROM item ORDER BY at");
      return rows.map(({ name }) => name);
    },
  };
}

function inDatabase(name: string): URL {
  const url = emptyPlace();
  url.pathname = `/${name}`;
  return url;
}
