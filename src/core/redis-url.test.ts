import { expect, it } from "vitest";
import { parseRedisUrl } from "./redis-url.js";

const one = { kind: "single", db: 0, login: {} } as const;

it.each([
  ["redis://h", { ...one, nodes: [{ host: "h", port: 6379 }] }],
  ["redis://h:7000/3", { ...one, nodes: [{ host: "h", port: 7000 }], db: 3 }],
  ["redis://[::1]:7000", { ...one, nodes: [{ host: "::1", port: 7000 }] }],
  ["rediss://h", { ...one, nodes: [{ host: "h", port: 6379 }], login: { tls: {} } }],
  ["redis://:p%40ss@h", { ...one, nodes: [{ host: "h", port: 6379 }], login: { password: "p@ss" } }],
  ["redis://u:a:b@h/", { ...one, nodes: [{ host: "h", port: 6379 }], login: { username: "u", password: "a:b" } }],
  [
    "redis-cluster://a:7000,b,[::1]:7002",
    {
      ...one,
      kind: "cluster",
      nodes: [
        { host: "a", port: 7000 },
        { host: "b", port: 6379 },
        { host: "::1", port: 7002 },
      ],
    },
  ],
  [
    "rediss-cluster://u@a",
    { ...one, kind: "cluster", nodes: [{ host: "a", port: 6379 }], login: { username: "u", tls: {} } },
  ],
])("takes %s apart (P042)", (url, expected) => {
  expect(parseRedisUrl(url)).toEqual(expected);
});

it.each([
  ["no host", "redis://", /cannot be read as an address/],
  ["no slashes", "redis:h", /cannot be read as an address/],
  ["a name for a database", "redis://h/shop", /cannot be read as an address/],
  ["a parameter", "redis://h?tls=yes", /cannot be read as an address/],
  ["an @ in the password", "redis://u:p@ss@h", /write %40 for @/],
  ["a percent in the password", "redis://u:p%ss@h", /write %25 for it/],
  ["a port that is too high", "redis://h:70000", /"h:70000", which is no host and port/],
  ["a port that is no number", "redis://h:63x9", /"h:63x9", which is no host and port/],
  ["several hosts without a cluster", "redis://a,b", /begin with "redis-cluster:\/\/"/],
  ["a database of a cluster", "redis-cluster://a/2", /number 0 only/],
])("refuses an address with %s (P042)", (_, url, expected) => {
  expect(parseRedisUrl(url)).toMatch(expected);
});
