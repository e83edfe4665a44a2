import { afterEach, beforeEach, expect, it } from "vitest";
import { createQluster } from "qluster";
import { type Folder, makeFolder } from "./run-cli.js";

const config = `export default {
  name: "shop",
  database: "sqlite:data/shop.db",
  tasks: ["tasks.mjs"],
  workers: 1,
  secret: "correct horse battery staple",
};`;

interface Diagnosis {
  readonly healthy: boolean;
  readonly findings: readonly { readonly about: string; readonly state: string; readonly text: string }[];
}

let folder: Folder;
beforeEach(() => {
  folder = makeFolder({ "qluster.config.mjs": config, "tasks.mjs": "export const add = (a, b) => a + b;" });
});
afterEach(() => folder[Symbol.dispose]());

async function diagnosis(...args: string[]): Promise<Diagnosis & { readonly code: number | null }> {
  const { code, stdout } = await folder.run("doctor", "--json", ...args);
  return { code, ...(JSON.parse(stdout) as Diagnosis) };
}

it("is well with a cluster and without work, and sees a task that nobody knows (P412)", async () => {
  const cluster = folder.start(["cluster"]);
  await cluster.says("running.");
  const before = await folder.run("doctor");

  await using q = createQluster(
    { name: "shop", database: "sqlite:data/shop.db", secret: "correct horse battery staple" },
    { root: folder.path },
  );
  await q.asyncTask("tasks.ad", 1, 2);
  const after = await diagnosis();

  expect(before.stdout).toMatch(/All is well\.\n$/);
  expect(before).toMatchObject({ code: 0, stderr: "" });
  expect(before.stdout).not.toContain("horse");
  expect(after).toMatchObject({ code: 4, healthy: false });
  expect(after.findings.filter(({ state }) => state === "wrong")).toEqual([
    expect.objectContaining({ about: "tasks", text: expect.stringContaining('Is "tasks.add" meant?') }),
  ]);
});

it("leaves no tables behind", async () => {
  const first = await diagnosis();
  const status = await folder.run("migrate", "status", "--json");

  expect(first.findings.at(-1)).toMatchObject({ about: "tables", state: "note" });
  expect(JSON.parse(status.stdout)).toMatchObject({ version: 0 });
});

it.each([
  [["--database", "postgres://shop:horse@127.0.0.1:1/shop"], "database", /cannot be used at the moment.*ECONNREFUSED/],
  [["--database", "redis://:horse@127.0.0.1:1"], "database", /127\.0\.0\.1:1/],
  [["--database", "oracle://x"], "configuration", /oracle/],
  [["--config", "missing.config.mjs"], "configuration", /missing\.config\.mjs/],
])("with %j says what is wrong, and exits with 4", async (args, about, text) => {
  const { code, findings } = await diagnosis(...args);

  const last = findings.at(-1);
  expect(code).toBe(4);
  expect(last).toMatchObject({ about, state: "wrong" });
  expect(last?.text).toMatch(text);
  expect(JSON.stringify(findings)).not.toContain("horse");
});

it("says which task module cannot be loaded, and why", async () => {
  folder.write("tasks.mjs", `throw new Error("no licence");`);

  const { findings } = await diagnosis();

  expect(findings).toContainEqual(
    expect.objectContaining({ about: "tasks", state: "wrong", text: expect.stringContaining("no licence") }),
  );
});
