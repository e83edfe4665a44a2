import { expect, it } from "vitest";
import { configRows } from "./config-rows.js";
import { optionNames } from "./option-table.js";
import { resolveConfig } from "./resolve.js";

const config = resolveConfig(
  {
    name: "shop",
    database: "memory:place",
    secret: ["s3cret one", "s3cret two"],
    timeout: null,
    queues: { shop: 3, media: 1 },
  },
  { env: { QLUSTER_LEASE: "90s" }, flags: { workers: 3 }, root: "/srv" },
);

it("shows each value as people write it, with where it came from (P011)", () => {
  const rows = new Map(configRows(config).map((row) => [row.option, row]));

  expect(rows.get("workers")).toMatchObject({ value: "3", source: "flag", variable: "QLUSTER_WORKERS" });
  expect(rows.get("lease")).toMatchObject({ value: "1m 30s", source: "environment" });
  expect(rows.get("timeout")).toMatchObject({ value: "no limit", source: "file" });
  expect(rows.get("maxMessage")).toMatchObject({ value: "256KB", source: "default" });
  expect(rows.get("queues")).toMatchObject({ value: "shop=3, media" });
  expect(rows.get("clusterName")).toMatchObject({ value: "shop", source: "default", variable: "QLUSTER_NAME" });
  expect(rows.get("backoff")?.value).toBe("base 1s, factor 2, max 10m, jitter 0.5");
});

it("starts with the name and the addresses", () => {
  expect(
    configRows(config)
      .slice(0, 4)
      .map((row) => row.option),
  ).toEqual(["name", "database", "broker", "cache"]);
});

it("shows every option but those that shape the others", () => {
  const shown = configRows(config).map((row) => row.option);

  expect(optionNames.filter((option) => !shown.includes(option))).toEqual(["root", "preset", "altClusters"]);
});

it("never shows a secret", () => {
  expect(JSON.stringify(configRows(config))).not.toContain("s3cret");
  expect(configRows(config).find((row) => row.option === "secret")?.value).toBe("***");
});
