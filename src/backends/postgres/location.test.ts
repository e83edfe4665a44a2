import { expect, it } from "vitest";
import { readLocation } from "./location.js";

it.each([
  ["//h/db", { schema: "qluster", listen: "auto", pool: { host: "h", database: "db" } }],
  [
    "//u%40x:p%2Fw@h:5433/my%20db?schema=jobs&listen=off&max=7&connect_timeout=3&application_name=shop",
    {
      schema: "jobs",
      listen: "off",
      pool: {
        host: "h",
        port: 5433,
        user: "u@x",
        password: "p/w",
        database: "my db",
        max: 7,
        connectionTimeoutMillis: 3_000,
        application_name: "shop",
      },
    },
  ],
  [
    "//u@[::1]:5432/db",
    { schema: "qluster", listen: "auto", pool: { host: "::1", port: 5432, user: "u", database: "db" } },
  ],
  ["///db?host=/run/pg", { schema: "qluster", listen: "auto", pool: { host: "/run/pg", database: "db" } }],
  ["//?schema=jobs", { schema: "jobs", listen: "auto", pool: {} }],
  ["//h/db?sslmode=disable", { schema: "qluster", listen: "auto", pool: { host: "h", database: "db", ssl: false } }],
])("reads %s", (location, expected) => {
  expect(readLocation(location)).toEqual(expected);
});

it.each([
  ["require", { rejectUnauthorized: false }],
  ["no-verify", { rejectUnauthorized: false }],
  ["verify-full", { rejectUnauthorized: true }],
  ["verify-ca", { rejectUnauthorized: true, checkServerIdentity: expect.any(Function) }],
])("sslmode=%s encrypts, and checks as libpq does", (mode, expected) => {
  expect(readLocation(`//h/db?sslmode=${mode}`).pool.ssl).toEqual(expected);
});
