import { readFileSync, statSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Consumer, openConsumer, repository, rootManifest, tool } from "./consumer.js";

describe("the tarball", () => {
  let consumer: Consumer;
  let files: string[];
  const read = (file: string): string => readFileSync(join(consumer.folder, "package", file), "utf8");

  beforeAll(async () => {
    consumer = await openConsumer();
    await consumer.succeed("tar", ["xf", consumer.tarball]);
    const listed = await consumer.succeed("tar", ["tf", consumer.tarball]);
    files = listed
      .trim()
      .split("\n")
      .map((file) => file.replace("package/", ""));
    console.log(
      `${consumer.tarball.split("/").at(-1)}: ${Math.round(statSync(consumer.tarball).size / 1024)} kB, ${files.length} files`,
    );
  });

  afterAll(() => consumer.remove());

  it("holds code, types and the papers, and nothing else", () => {
    const others = files.filter((file) => !/^dist\/.+\.(js|d\.ts|lua)$/.test(file));

    expect(others.toSorted()).toEqual(["ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  });

  it("holds no tests", () => {
    expect(files.filter((file) => /\.test\b|\.spec\b|test-d|__|fixture/.test(file))).toEqual([]);
  });

  it("names no folder, person or machine that it was made on", () => {
    const traces = [repository, `${homedir()}/`, hostname()].filter((trace) => trace.length > 4);

    expect(files.filter((file) => traces.some((trace) => read(file).includes(trace)))).toEqual([]);
  });

  it("names no registry: every user has their own", () => {
    expect(files.filter((file) => /registry\.[\w.-]+\//.test(read(file)))).toEqual([]);
  });

  it("gives every command to whoever may run it", () => {
    for (const file of Object.values(rootManifest().bin)) {
      expect(read(file)).toMatch(/^#!\/usr\/bin\/env node\n/);
      expect(statSync(join(consumer.folder, "package", file)).mode & 0o111).toBe(0o111);
    }
  });

  it("stays below a megabyte", () => {
    expect(statSync(consumer.tarball).size).toBeLessThan(1024 * 1024);
  });

  it("runs nothing when it is installed", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });

  it("is packed as publint wants it", async () => {
    expect(await consumer.succeed(tool("publint"), [consumer.tarball, "--strict"])).toContain("All good!");
  });

  it("has types that every ESM resolution finds", async () => {
    const options = ["--profile", "esm-only", "--no-emoji", "--format", "ascii"];

    // It ends with 1 when it finds a problem.
    expect(await consumer.succeed(tool("attw"), [consumer.tarball, ...options])).toContain(
      "node16 (from ESM): OK (ESM)",
    );
  });

  it("has types that need no other package's", () => {
    // No public type reaches the command line, or a backend that has a client's types in its own.
    const internal = /^dist\/(cli|backends\/postgres)\//;
    const declarations = files.filter((file) => file.endsWith(".d.ts") && !internal.test(file));
    const imports = declarations.flatMap((file) => [...read(file).matchAll(/(?:from|import\()\s*"([^"]+)"/g)]);

    expect(imports.map(([, name = ""]) => name).filter((name) => !/^(\.|node:)/.test(name))).toEqual([]);
  });
});
