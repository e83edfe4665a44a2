import { expect, it } from "vitest";
import { maskPassword, readDatabase } from "./database.js";
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
    "postgres://u:s3cret@h/db",
    /names postgres, which this version of Qluster cannot use yet.*What works/,
  ],
  ["a misspelt database", "sqllite:q.db", /begins with "sqllite:".*Did you mean "sqlite:"\?/],
  ["an unknown database", "oracle:x", /no database that Qluster knows.*What works/],
  ["a file without a name", "sqlite:", /expected the path of a file/],
  ["SQLite in memory", "sqlite::memory:", /one process only; for tests write "memory:"/],
])("refuses %s, and says what works", (_, value, expected) => {
  expect(read(value).problem).toMatch(expected);
});

it("never prints a password", () => {
  expect(read("postgres://user:s3cret@host/db").problem).not.toContain("s3cret");
  expect(maskPassword("postgres://user:s3cret@host:5432/db")).toBe("postgres://user:***@host:5432/db");
  expect(maskPassword("redis://:s3cret@host")).toBe("redis://:***@host");
  expect(maskPassword("sqlite:/a:b@c")).toBe("sqlite:/a:b@c");
});
