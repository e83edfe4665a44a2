import { expect, it } from "vitest";
import { Client, Pool } from "pg";
import { readDatabase, showDatabase } from "./database.js";
import { maskPassword } from "./mask-password.js";
import { Problems } from "./problems.js";

function read(value: unknown): { readonly address: unknown; readonly problem: string | undefined } {
  const problems = new Problems();
  const address = readDatabase(value, "database", "/srv", problems);
  expect(problems.lines.length).toBe(address === undefined ? 1 : 0);
  return { address, problem: problems.lines[0] };
}

it.each([
  ["sqlite:data/q.db", { scheme: "sqlite", location: "/srv/data/q.db" }],
  ["sqlite:./q.db", { scheme: "sqlite", location: "/srv/q.db" }],
  ["sqlite:/var/q.db", { scheme: "sqlite", location: "/var/q.db" }],
  ["sqlite:///var/q%20x.db", { scheme: "sqlite", location: "/var/q x.db" }],
  ["sqlite://q.db", { scheme: "sqlite", location: "/srv/q.db" }],
  ["SQLite:q.db", { scheme: "sqlite", location: "/srv/q.db" }],
  ["memory:", { scheme: "memory", location: "" }],
  ["memory:place", { scheme: "memory", location: "place" }],
  ["postgres://u:p@h:5433/db", { scheme: "postgres", location: "//u:p@h:5433/db" }],
  ["postgresql://h/db?schema=jobs", { scheme: "postgres", location: "//h/db?schema=jobs" }],
  ["postgres:///db?host=/run/pg&listen=off", { scheme: "postgres", location: "///db?host=/run/pg&listen=off" }],
  ["postgres://h/db?sslmode=require&max=20", { scheme: "postgres", location: "//h/db?sslmode=require&max=20" }],
])("takes %s apart (P042)", (value, expected) => {
  expect(read(value).address).toEqual(expected);
});

it.each([
  ["nothing", undefined, /^database is not set\. .*sqlite:data\/qluster\.db.*never chooses a database by itself/],
  ["an empty text", "", /^database is empty\./],
  ["a blank text", "  ", /^database is empty\./],
  ["a number", 5, /^database: it is 5; expected a text such as/],
  ["a bare path", "data/q.db", /does not say which database it is\. For an SQLite file write "sqlite:data\/q\.db"/],
  [
    "a database of a later version",
    "mysql://h/db",
    /names mysql, which this version of Qluster cannot use yet.*What works/,
  ],
  ["a misspelt database", "sqllite:q.db", /begins with "sqllite:".*Did you mean "sqlite:"\?/],
  ["an unknown database", "oracle:x", /no database that Qluster knows.*What works/],
  ["a file without a name", "sqlite:", /expected the path of a file/],
  ["SQLite in memory", "sqlite::memory:", /one process only; for tests write "memory:"/],
])("refuses %s, and says what works", (_, value, expected) => {
  expect(read(value).problem).toMatch(expected);
});

it("never prints a password", () => {
  expect(read("mysql://user:s3cret@host/db").problem).not.toContain("s3cret");
  expect(maskPassword("postgres://user:s3cret@host:5432/db")).toBe("postgres://user:***@host:5432/db");
  expect(maskPassword("redis://:s3cret@host")).toBe("redis://:***@host");
  expect(maskPassword("sqlite:/a:b@c")).toBe("sqlite:/a:b@c");
});

it.each([
  ["no slashes", "postgres:h/db", /has no "\/\/" after "postgres:"/],
  ["no host", "postgres:///db", /names no host.*\?host=\/path for a Unix socket/],
  ["a port that is no number", "postgres://u:s3cret@h:54e2/db", /has the port "54e2"; expected a number/],
  ["a port that is too high", "postgres://h:70000/db", /has the port "70000"/],
  ["a slash in the password", "postgres://u:s3/cret@h/db", /cannot be read.*%2F for \//],
  ["a hash in the password", "postgres://u:s3#cret@h/db", /cannot be read|write %23/],
  ["a percent in the password", "postgres://u:s3%cret@h/db", /%25 for %/],
  ["an unknown parameter", "postgres://h/db?shema=x", /the parameter "shema".*Did you mean schema\?/],
  ["a schema with a quote", 'postgres://h/db?schema=a"b', /has the schema "a\\"b"/],
  ["a schema of the server", "postgres://h/db?schema=pg_x", /has the schema "pg_x"/],
  ["an sslmode that does not exist", "postgres://h/db?sslmode=yes", /has sslmode=yes; expected one of disable/],
  ["a wrong listen", "postgres://h/db?listen=no", /has listen=no; expected auto, on or off/],
  ["too few connections", "postgres://h/db?max=2", /has max=2; expected .* at least 5/],
  ["a misspelt scheme", "postgress://u:s3cret@h/db", /Did you mean "postgres:"\?/],
])("refuses a Postgres address with %s, without its password (P042)", (_, value, expected) => {
  const { problem } = read(value);

  expect(problem).toMatch(expected);
  expect(problem).not.toMatch(/s3|cret/);
});

it("takes a pool, or options for one, and a schema", () => {
  const pool = new Pool();

  expect(read({ postgres: pool }).address).toEqual({ scheme: "postgres", location: "//?schema=qluster", client: pool });
  const options = { host: "h", password: "s3cret" };
  expect(read({ postgres: options, schema: "jobs" }).address).toEqual({
    scheme: "postgres",
    location: "//?schema=jobs",
    client: options,
  });
});

it.each([
  ["a misspelt key", { postgres: {}, shema: "x" }, /the key "shema" does not belong beside "postgres"/],
  ["two databases at once (P045)", { postgres: {}, redis: {} }, /the key "redis" does not belong beside "postgres"/],
  ["an unknown database", { oracle: { password: "s3cret" } }, /names no database; expected \{ postgres: … \}/],
  ["an address in the wrong place", { postgres: "postgres://h" }, /database\.postgres: .*a Pool of the package pg/],
  ["a single client", { postgres: new Client() }, /a single client; expected a Pool/],
  ["a wrong schema", { postgres: {}, schema: "1x" }, /has the schema "1x"/],
])("refuses an object with %s", (_, value, expected) => {
  expect(read(value).problem).toMatch(expected);
  expect(read(value).problem).not.toContain("s3cret");
});

it("takes a backend of the application by a function, and shows its name only (P044, P245)", () => {
  const openMine = async () => expect.unreachable();
  const { address } = read({ backend: openMine, location: "amqp://u:s3cret@h" });

  expect(address).toEqual({ scheme: "backend", location: "amqp://u:s3cret@h", client: openMine });
  expect(showDatabase(address as never)).toBe("the application's own backend (openMine)");
  expect(read({ backend: "my-broker" }).problem).toMatch(/^database\.backend: it is "my-broker"; expected a function/);
  expect(read({ backend: openMine, place: "x" }).problem).toMatch(/the key "place" does not belong beside "backend"/);
  expect(read({ backend: openMine, location: 5 }).problem).toMatch(/^database\.location: it is 5/);
});

it("shows an object without what is in it", () => {
  const client = { password: "s3cret" };
  const shown = (given: unknown): string =>
    showDatabase({ scheme: "postgres", location: "//?schema=qluster", client: given });

  expect(shown(client)).toBe("postgres: options for a pool (schema qluster)");
  expect(shown(new Pool())).toBe("postgres: a pool (schema qluster)");
});
