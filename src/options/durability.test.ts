import { expect, it } from "vitest";
import { ConfigError } from "../errors.js";
import { configRows } from "./config-rows.js";
import { resolveConfig } from "./resolve.js";

const base = { name: "shop", database: "sqlite:q.db" } as const;

it.each([
  ["process", "process"],
  ["power", "power"],
  [{ replicas: 2 }, "replicas=2"],
] as const)("keeps %o, and shows it as %s", (durability, shown) => {
  const config = resolveConfig({ ...base, durability }, { env: {} });

  expect(config.durability).toEqual(durability);
  expect(configRows(config).find(({ option }) => option === "durability")?.value).toBe(shown);
});

it("is read from the environment", () => {
  const durabilityOf = (QLUSTER_DURABILITY: string): unknown =>
    resolveConfig(base, { env: { QLUSTER_DURABILITY } }).durability;

  expect(durabilityOf("power")).toBe("power");
  expect(durabilityOf("replicas=1")).toEqual({ replicas: 1 });
});

it.each([
  [{ replicas: 0 }],
  [{ replicas: "1" }],
  [{ replicas: 1.5 }],
  [{ replicas: 1, of: 3 }],
  [{}],
  ["replicas"],
  [1],
])("refuses %o, and says what is expected", (durability) => {
  const resolve = (): unknown => resolveConfig({ ...base, durability: durability as never }, { env: {} });

  expect(resolve).toThrow(ConfigError);
  expect(resolve).toThrow(/durability.*\{ replicas: 1 \}/);
});
