import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../errors.js";
import { ConfigFileError } from "./config-file-error.js";
import { loadConfigFile } from "./config-file.js";

const registry = pathToFileURL(join(import.meta.dirname, "../core/registry.ts")).href;
let folder: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "qluster-config-")));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const failure = async (given?: string): Promise<Error> =>
  await loadConfigFile(folder, given).then(
    () => expect.unreachable("it should have been refused"),
    (error: Error) => error,
  );

describe("finding the configuration", () => {
  it.each([
    ["qluster.config.ts", 'export default { name: "shop" as string };'],
    ["qluster.config.mts", 'export default { name: "shop" as string };'],
    ["qluster.config.js", 'module.exports = { name: "shop" };'],
    ["qluster.config.mjs", 'export default { name: "shop" };'],
    ["qluster.config.cjs", 'module.exports = { name: "shop" };'],
    ["qluster.config.json", '\uFEFF{ "name": "shop" }'],
  ])("takes %s", async (name, text) => {
    const path = write(name, text);

    expect(await loadConfigFile(folder, undefined)).toMatchObject({ path, config: { name: "shop" } });
  });

  it("goes upwards to the nearest folder that has one", async () => {
    write("qluster.config.json", '{ "name": "outer" }');
    const inner = write("a/qluster.config.json", '{ "name": "inner" }');
    mkdirSync(join(folder, "a/b/c"), { recursive: true });

    expect(await loadConfigFile(join(folder, "a/b/c"), undefined)).toMatchObject({ path: inner });
  });

  it("takes the file that is given, whatever its name", async () => {
    write("qluster.config.json", '{ "name": "found" }');
    const path = write("deploy/worker.mjs", 'export default { name: "given" };');

    expect(await loadConfigFile(folder, "deploy/worker.mjs")).toMatchObject({ path, config: { name: "given" } });
  });

  it("waits for a module that awaits", async () => {
    write("qluster.config.mjs", 'const name = await Promise.resolve("later");\nexport default { name };');

    expect((await loadConfigFile(folder, undefined))?.config.name).toBe("later");
  });

  it("waits for a promise of a configuration", async () => {
    write("qluster.config.mjs", 'export default Promise.resolve({ name: "promised" });');

    expect((await loadConfigFile(folder, undefined))?.config.name).toBe("promised");
  });

  it("takes what a compiler made of `export default`", async () => {
    write("qluster.config.cjs", 'exports.__esModule = true; exports.default = { name: "compiled" };');

    expect((await loadConfigFile(folder, undefined))?.config.name).toBe("compiled");
  });

  it("says where it looked for a file that is not there", async () => {
    expect(await failure("nowhere.ts")).toMatchObject({
      code: "QLUSTER_CONFIG_FILE",
      message: `There is no file "nowhere.ts" (looked for ${join(folder, "nowhere.ts")}). Check the path after --config.`,
    });
  });
});

describe("a configuration that cannot be loaded names its file and", () => {
  it.each([
    ["throws", "qluster.config.mjs", 'throw new TypeError("no DATABASE_URL");', /TypeError: no DATABASE_URL/],
    ["imports what is not there", "qluster.config.mjs", 'import "./missing.mjs";\nexport default {};', /missing\.mjs/],
    ["is no JSON", "qluster.config.json", '{\n  "name": shop\n}', /line 2, column 11: expected a value/],
    ["exports nothing", "qluster.config.mjs", "export const name = 1;", /has no default export, but a configuration/],
    ["exports a function", "qluster.config.mjs", "export default () => ({});", /exports a function by default/],
    ["exports a text", "qluster.config.mjs", 'export default "shop";', /exports a string by default/],
    ["exports a list", "qluster.config.mjs", "export default [];", /exports an array by default/],
    ["exports null", "qluster.config.json", "null", /exports null by default/],
  ])("its cause when it %s", async (_, name, text, message) => {
    write(name, text);

    const error = await failure();

    expect(error).toBeInstanceOf(ConfigFileError);
    expect(error.message).toContain(name);
    expect(error.message).toMatch(message);
  });

  it("keeps what was thrown as the cause", async () => {
    write("qluster.config.mjs", 'throw new RangeError("deep");');

    expect((await failure()).cause).toMatchObject({ name: "RangeError", message: "deep" });
  });
});

describe("a configuration that imports tasks", () => {
  it("is refused, with the task's name", async () => {
    write(
      "tasks.mjs",
      `import { defineTask } from ${JSON.stringify(registry)};
       defineTask({ name: "images.resize", run: () => 1, options: {}, input: undefined, source: "src/images.ts" });`,
    );
    write("qluster.config.mjs", 'import "./tasks.mjs";\nexport default { name: "shop" };');

    const error = await failure();

    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('qluster.config.mjs imports src/images.ts, which defines the task "images.resize"');
  });

  it("lists what it loaded, so that modules of plain functions are found out", async () => {
    const helper = write("helper.cjs", "module.exports = 1;");
    write("qluster.config.cjs", 'require("./helper.cjs"); module.exports = { name: "shop" };');

    expect((await loadConfigFile(folder, undefined))?.imports).toContain(helper);
  });
});
