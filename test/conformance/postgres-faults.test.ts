import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { translated } from "../../src/backends/postgres/translated-error.js";
import { QlusterError } from "../../src/errors.js";
import { newTask } from "../../src/testing/tasks.js";
import { connectTo, emptyPlace, openAt, schemaOf } from "../support/postgres.js";
import { freePort, startPostgres, type PostgresServer } from "../support/postgres-server.js";

let server: PostgresServer;
const password = "s3cret@of/mine";

beforeAll(async () => {
  server = await startPostgres({ auth: "scram-sha-256", password });
});
afterAll(() => server.remove());

/** The address with the password of the owner, changed. */
function place(change: (url: URL) => void = () => {}): URL {
  const url = emptyPlace({}, server.url);
  url.password = encodeURIComponent(password);
  change(url);
  return url;
}

/** Opens, stores and reads; gives what went wrong. */
async function fault(url: URL, migrate = true): Promise<QlusterError> {
  try {
    await using backend = await openAt(url, { migrate });
    await backend.store.submit([newTask("t")]);
  } catch (error) {
    expect(error).toBeInstanceOf(QlusterError);
    expect((error as Error).message).not.toMatch(/s3cret/);
    return error as QlusterError;
  }
  throw new Error("Nothing went wrong.");
}

/** An address for a new role, after `sql` with its name for {role}. */
async function asRole(sql: string, url: URL = place()): Promise<URL> {
  const owner = new Pool({ connectionString: withoutSearch(url) });
  const role = `role_${schemaOf(url)}`;
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 's3cret'`);
  await owner.query(sql.replaceAll("{role}", role).replaceAll("{schema}", schemaOf(url)) || "SELECT 1");
  await owner.end();
  const own = new URL(url);
  own.username = role;
  own.password = "s3cret";
  return own;
}

function withoutSearch(url: URL): string {
  const plain = new URL(url);
  plain.search = "";
  return plain.href;
}

async function tablesAt(url: URL): Promise<void> {
  await (await openAt(url))[Symbol.asyncDispose]();
}

describe("what cannot work is one clear error, with the next step and without the password", () => {
  it.each([
    [
      "a wrong password",
      (url: URL) => (url.password = "s3cret"),
      /refuses the connection: .*Check user and password.*%40 for @/,
    ],
    ["no password", (url: URL) => (url.password = ""), /refuses the connection: .*Check user and password/],
    [
      "an unknown database",
      (url: URL) => (url.pathname = "/shop"),
      /"shop" does not exist.*Create the database, or correct/,
    ],
    [
      "encryption that the server does not have",
      (url: URL) => url.searchParams.set("sslmode", "require"),
      /do not agree on encryption.*sslmode/,
    ],
    [
      "a certificate that is not there",
      (url: URL) => (url.search += "&sslmode=verify-full&sslrootcert=/nowhere.pem"),
      /sslrootcert cannot be read.*PEM/,
    ],
  ])("%s", async (_, change, expected) => {
    const found = await fault(place(change));

    expect(found.code).toBe("QLUSTER_CONFIG");
    expect(found.message).toMatch(expected);
  });

  it("no server at that address, which may come", async () => {
    const port = await freePort();
    const found = await fault(place((url) => (url.port = String(port))));

    expect(found).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: false });
    expect(found.message).toMatch(/ECONNREFUSED.*Check that it runs/);
  });

  it("a role that may not create the tables", async () => {
    const found = await fault(await asRole(""));

    expect(found.code).toBe("QLUSTER_SCHEMA");
    expect(found.message).toMatch(
      /this role may not do it\. Run `npx qluster migrate` as a role that may.*migrate sql/,
    );
  });

  it("a role that may read only", async () => {
    const url = place();
    await tablesAt(url);
    const found = await fault(
      await asRole(
        "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        url,
      ),
    );

    expect(found.code).toBe("QLUSTER_CONFIG");
    expect(found.message).toMatch(/permission denied.*Grant it what docs\/postgres\.md lists/);
  });

  it.each([
    [
      "too new",
      "INSERT INTO {s}.qluster_schema VALUES (99, 99, 0)",
      /works with code from version 99 on.*Install a newer release/,
    ],
    [
      "too old",
      "DELETE FROM {s}.qluster_schema; INSERT INTO {s}.qluster_schema VALUES (0, 0, 0)",
      /no Qluster tables.*npx qluster migrate/,
    ],
    ["half gone", "DROP TABLE {s}.qluster_task", /missing or not the expected ones.*npx qluster migrate/],
  ])("tables that are %s", async (_, sql, expected) => {
    const url = place();
    await tablesAt(url);
    const client = await connectTo(url);
    await client.query(sql.replaceAll("{s}", schemaOf(url)));

    const found = await fault(url, false);

    expect(found.code).toBe("QLUSTER_SCHEMA");
    expect(found.message).toMatch(expected);
  });

  it("a server that is too old", async () => {
    const greeting = { version: 110_022, name: "11.22", pid: 1 };
    const client = { query: async () => ({ rows: [greeting] }), release: () => {}, on: () => {}, off: () => {} };
    const pool = { connect: async () => client, on: () => {}, off: () => {}, options: { host: "old" } };

    await expect(openAt(emptyPlace({}, server.url), { client: pool })).rejects.toThrow(
      /old:5432 is PostgreSQL 11\.22; Qluster needs version 12 or newer/,
    );
  });
});

describe("what may pass is an outage, with the next step", () => {
  it.each([
    ["too many connections", "ALTER ROLE {role} CONNECTION LIMIT 0", /too many connections.*max_connections/],
    [
      "a server that accepts no writes",
      "ALTER ROLE {role} SET default_transaction_read_only = on",
      /read-only transaction.*primary/,
    ],
  ])("%s", async (_, sql, expected) => {
    const url = place();
    await tablesAt(url);
    const grants = "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role};";
    const found = await fault(await asRole(`${grants} ${sql}`, url), false);

    expect(found).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten: false });
    expect(found.message).toMatch(expected);
  });

  it("a statement time-out, while somebody keeps a lock", async () => {
    const url = place();
    await tablesAt(url);
    const grants = "GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role};";
    const own = await asRole(`${grants} ALTER ROLE {role} SET statement_timeout = 200`, url);
    const client = await connectTo(url);
    await client.query("BEGIN");
    await client.query(`LOCK TABLE "${schemaOf(url)}".qluster_message IN ACCESS EXCLUSIVE MODE`);

    const found = await fault(own, false);

    expect(found.code).toBe("QLUSTER_STORE_UNAVAILABLE");
    expect(found.message).toMatch(/statement timeout.*Raise statement_timeout/);
  });

  it.each([
    ["53100", "could not extend file", /Free some space on the disk of the server/, false],
    ["53200", "out of memory", /more memory/, false],
    [
      "25P03",
      "terminating connection due to idle-in-transaction timeout",
      /idle_in_transaction_session_timeout/,
      false,
    ],
    ["57P01", "terminating connection due to administrator command", /Check that it runs/, true],
    ["57P03", "the database system is starting up", /starting or stopping/, false],
    ["08006", "connection failure", /Check that it runs/, true],
    ["ECONNRESET", "read ECONNRESET", /Check that it runs/, true],
    ["ENOTFOUND", "getaddrinfo ENOTFOUND db", /Check the name of the host/, false],
    ["40P01", "deadlock detected", /Try again/, false],
  ])("code %s", (code, message, expected, maybeWritten) => {
    const error = translated("host:5432/db", Object.assign(new Error(message), { code }));

    expect(error).toMatchObject({ code: "QLUSTER_STORE_UNAVAILABLE", maybeWritten });
    expect((error as Error).message).toMatch(expected);
  });
});

describe("a pool of the application", () => {
  it("is used, and never ended, and keeps its own settings", async () => {
    const url = place();
    const pool = new Pool({ connectionString: withoutSearch(url), max: 5 });
    const location = `//?schema=${schemaOf(url)}`;
    const backend = await openAt(url, { client: pool, location });
    const [submitted] = await backend.store.submit([newTask("t")]);
    expect(submitted).toMatchObject({ created: true });

    await backend[Symbol.asyncDispose]();

    const { rows } = await pool.query("SELECT 1::bigint AS n, current_setting('synchronous_commit') AS commit");
    expect(rows).toEqual([{ n: "1", commit: "on" }]);
    expect(pool.idleCount).toBe(pool.totalCount);
    await pool.end();
  });

  it("may be given as options", async () => {
    const url = place();
    const client = { host: url.hostname, port: Number(url.port), user: "postgres", password, database: "postgres" };
    await using backend = await openAt(url, { client, location: `//?schema=${schemaOf(url)}` });

    expect(await backend.broker.info()).toMatch(/^PostgreSQL \d+.* \(pg\), 127\.0\.0\.1:\d+\/postgres, schema test_/);
  });
});
