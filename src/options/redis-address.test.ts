import { Cluster, Redis } from "ioredis";
import { expect, it } from "vitest";
import { readDatabase, showDatabase } from "./database.js";
import { Problems } from "./problems.js";

function read(value: unknown): {
  readonly address: ReturnType<typeof readDatabase>;
  readonly problem: string | undefined;
} {
  const problems = new Problems();
  return { address: readDatabase(value, "database", "/srv", problems), problem: problems.lines[0] };
}

it.each(["redis://h:7000/3", "rediss://u:p@h", "redis-cluster://a:1,b:2", "rediss-cluster://a"])(
  "keeps the address %s as it is (P038, P042)",
  (url) => {
    expect(read(url).address).toEqual({ scheme: "redis", location: url });
  },
);

it("says what is wrong with an address, without its password", () => {
  const { address, problem } = read("redis://u:s3cret@h:70000");

  expect(address).toBeUndefined();
  expect(problem).toMatch(/^database: "redis:\/\/u:\*\*\*@h:70000" has "h:70000", which is no host and port/);
});

it("takes a client of ioredis, or options for one (P038, P039)", () => {
  const clients = [new Redis({ lazyConnect: true }), new Cluster([{ host: "h", port: 1 }], { lazyConnect: true })];
  const options = { host: "h", password: "s3cret" };

  for (const redis of [...clients, options]) {
    expect(read({ redis }).address).toEqual({ scheme: "redis", location: "", client: redis });
  }
});

it.each([
  [
    "an address in the wrong place",
    { redis: "redis://u:s3cret@h" },
    /database\.redis: .*a Redis or Cluster of the package ioredis/,
  ],
  ["one key too many", { redis: {}, db: 2 }, /the key "db" does not belong beside "redis"/],
  ["a client of another package", { redis: { sendCommand: () => {} } }, /a client of another package/],
])("refuses an object with %s", (_, value, expected) => {
  expect(read(value).problem).toMatch(expected);
});

it("shows where tasks are without what is secret", () => {
  const shown = (client: unknown): string => showDatabase({ scheme: "redis", location: "", client });

  expect(shown({ password: "s3cret" })).toBe("redis: options for a client");
  expect(shown(new Redis({ lazyConnect: true }))).toBe("redis: a client");
  expect(shown(new Cluster([{ host: "h", port: 1 }], { lazyConnect: true }))).toBe("redis: a cluster client");
  expect(showDatabase({ scheme: "redis", location: "redis://u:s3cret@h/1" })).toBe("redis://u:***@h/1");
});
