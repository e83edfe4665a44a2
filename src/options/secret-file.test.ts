import { fork } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ConfigError } from "../errors.js";
import { resolveConfig } from "./resolve.js";
import { keptSecret, processSecret } from "./secret-file.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "qluster-secret-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

it("makes a secret once, readable by its owner only, in a folder of that name (P056)", async () => {
  const first = keptSecret(join(folder, "data"));
  const second = keptSecret(join(folder, "data"));

  const file = join(folder, "data", ".qluster", "secret");
  expect(first).toMatch(/^[\w-]{43}$/);
  expect(second).toBe(first);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(dirname(file))).toEqual(["secret"]);
});

it("gives every database a secret of its own", () => {
  expect(keptSecret(join(folder, "a"))).not.toBe(keptSecret(join(folder, "b")));
});

it("gives processes that start at the same moment the same secret", { timeout: 30_000 }, async () => {
  const script = join(folder, "child.mjs");
  await writeFile(
    script,
    `import { createJiti } from ${JSON.stringify(import.meta.resolve("jiti"))};
     const { keptSecret } = await createJiti(import.meta.url).import(${JSON.stringify(join(import.meta.dirname, "secret-file.ts"))});
     process.on("message", (folder) => process.send(keptSecret(folder), () => process.exit()));
     process.send("ready");`,
  );
  const children = Array.from({ length: 4 }, () => fork(script, { execArgv: [] }));
  const next = (child: (typeof children)[number]) => new Promise<unknown>((resolve) => child.once("message", resolve));
  await Promise.all(children.map(next));

  const answers = children.map(next);
  for (const child of children) child.send(folder);

  expect(new Set(await Promise.all(answers)).size).toBe(1);
});

it("says what is wrong with a file that is empty", async () => {
  const file = join(folder, ".qluster", "secret");
  await mkdir(dirname(file));
  await writeFile(file, "");

  const attempt = () => keptSecret(folder);

  expect(attempt).toThrow(ConfigError);
  expect(attempt).toThrow(/\.qluster\/secret is empty\. Put its old content back/);
});

it("says what to do when the file cannot be made", async () => {
  await writeFile(join(folder, ".qluster"), "a file where the folder should be");

  expect(() => keptSecret(folder)).toThrow(/cannot be used .*give one with QLUSTER_SECRET/);
});

it("is not touched by a configuration that nobody signs with (P056)", async () => {
  const config = resolveConfig({ name: "shop", database: `sqlite:${folder}/q.db` }, { env: {}, root: folder });
  expect(await readdir(folder)).toEqual([]);

  const secrets = config.secrets;

  expect(secrets).toHaveLength(1);
  expect(await readdir(folder)).toEqual([".qluster"]);
});

it("of a database server stands under the root while nothing says that this is production (P056)", async () => {
  const config = resolveConfig({ name: "shop", database: "postgres://host/db" }, { env: {}, root: folder });

  expect(config.secrets).toEqual([keptSecret(folder)]);
});

it("of a database server must be given in production, and the error says how (P056)", async () => {
  const env = { NODE_ENV: "production" };
  const config = resolveConfig({ name: "shop", database: "postgres://host/db" }, { env, root: folder });

  expect(() => config.secrets).toThrow(/secret: it is not given.*QLUSTER_SECRET.*openssl rand -base64 32/);
  expect(await readdir(folder)).toEqual([]);
});

it("lives only as long as the process for a database in memory", () => {
  expect(processSecret()).toBe(processSecret());
});
