import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TaskLoadError } from "../errors.js";
import { importModule, loadTasks } from "./load-tasks.js";
import { taskByFunction, taskByName } from "./registry.js";
import type { Fn } from "./task-types.js";

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "qluster-tasks-")));
  await writeFile(join(root, "package.json"), '{"type":"module"}');
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const taskUrl = pathToFileURL(join(import.meta.dirname, "../client/task.ts")).href;
/** `task` as the application has it, for a module outside of this project. */
const giveTask = async (): Promise<void> => {
  (globalThis as { testTask?: unknown }).testTask = ((await import(taskUrl)) as { task: unknown }).task;
};

function run(name: string): unknown {
  const definition = taskByName(name);
  if (definition === undefined) throw new Error(`${name} is not known`);
  return definition.run();
}

describe("exported functions", () => {
  it("are tasks by module path and export name (P060, P062)", async () => {
    await write({
      "core/tasks.js":
        "export async function review() { return 'ok'; } export const arrow = () => 1; const hidden = () => 1;",
      "core/mail/index.mjs": "export function send() {}",
      "core/report.js": "export default function () { return 'report'; }",
      "src/jobs/old.cjs": "exports.clean = () => 'cleaned';",
    });

    const names = await loadTasks(root, ["core/**/*.{js,mjs}", "src/**/*.cjs"]);

    expect(names).toEqual(
      expect.arrayContaining([
        "core.tasks.review",
        "core.tasks.arrow",
        "core.mail.send",
        "core.report",
        "jobs.old.clean",
      ]),
    );
    expect(names.filter((name) => name.includes("hidden"))).toEqual([]);
    expect(await run("core.tasks.review")).toBe("ok");
    expect(run("jobs.old.clean")).toBe("cleaned");
  });

  it("are found by identity, also where the application imported them", async () => {
    await write({ "found.js": "export function byIdentity() {}" });
    const exports = (await import(pathToFileURL(join(root, "found.js")).href)) as { byIdentity: Fn };

    await loadTasks(root, ["*.js"]);

    expect(taskByFunction(exports.byIdentity)).toMatchObject({ name: "found.byIdentity", source: "found.js" });
  });

  it("do not include classes and values", async () => {
    await write({ "mixed.js": "export class Mailer {} export const limit = 5; export function real() {}" });

    const names = await loadTasks(root, ["mixed.js"]);

    expect(names.filter((name) => name.startsWith("mixed."))).toEqual(["mixed.real"]);
  });

  it("keep the first name by identity when they are exported twice", async () => {
    await write({ "twice/a.js": "export function shared() {}", "twice/b.js": "export { shared } from './a.js';" });

    const names = await loadTasks(root, ["twice/*.js"]);

    expect(names).toEqual(expect.arrayContaining(["twice.a.shared", "twice.b.shared"]));
    expect(taskByFunction(taskByName("twice.b.shared")?.run)?.name).toBe("twice.a.shared");
  });
});

describe("what task() made", () => {
  it("keeps its own name, whatever it is exported as", async () => {
    await giveTask();
    await write({
      "named/tasks.js": "export const something = globalThis.testTask('images.resize.loaded', () => 'small');",
    });

    const names = await loadTasks(root, ["named/*.js"]);

    expect(names).toContain("images.resize.loaded");
    expect(names).not.toContain("named.tasks.something");
    expect(taskByName("images.resize.loaded")?.source).toBe("named/tasks.js");
    expect(run("images.resize.loaded")).toBe("small");
  });
});

it("loads TypeScript without a build step, also what Node alone cannot", { timeout: 30_000 }, async () => {
  await write({
    "typed/tasks.ts": `import { greet } from "./words.js";
      enum Kind { Small = "small" }
      class Box { constructor(public readonly kind: Kind) {} }
      export const pack = async (): Promise<string> => greet(new Box(Kind.Small).kind);`,
    "typed/words.ts": "export const greet = (kind: string): string => `a ${kind} box`;",
  });

  const names = await loadTasks(root, ["typed/tasks.ts"]);

  expect(names).toContain("typed.tasks.pack");
  expect(await run("typed.tasks.pack")).toBe("a small box");
});

it("leaves out tests, declarations and dependencies", async () => {
  await write({
    "all/tasks.js": "export function kept() {}",
    "all/tasks.test.js": "throw new Error('a test was loaded');",
    "all/types.d.ts": "export function declared(): void;",
    "all/readme.md": "no code",
    "all/node_modules/x/index.js": "throw new Error('a dependency was loaded');",
  });

  const names = await loadTasks(root, ["all/**/*"]);

  expect(names.filter((name) => name.startsWith("all."))).toEqual(["all.tasks.kept"]);
});

it("knows every task of this process, without globs too", async () => {
  await giveTask();
  (globalThis as unknown as { testTask: (name: string, fn: Fn) => void }).testTask("defined.here", () => 1);

  expect(await loadTasks(root, [])).toContain("defined.here");
});

describe("what cannot be loaded", () => {
  it("is named, with the cause (P062)", async () => {
    await write({ "bad/broken.js": "throw new TypeError('no database');" });

    const error = await loadTasks(root, ["bad/*.js"]).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(TaskLoadError);
    expect(error).toMatchObject({
      message: "The task module bad/broken.js could not be loaded: TypeError: no database",
      cause: { message: "no database" },
    });
  });

  it("includes a module with a syntax error", async () => {
    await write({ "syntax/broken.js": "export const = 5;" });

    await expect(loadTasks(root, ["syntax/*.js"])).rejects.toThrow(/syntax\/broken\.js could not be loaded: /);
  });

  it("includes two modules that give one name, both named", async () => {
    await giveTask();
    await write({
      "one.js": "export const a = globalThis.testTask('shared.name', () => 1);",
      "two.js": "export const b = globalThis.testTask('shared.name', () => 2);",
    });

    await expect(loadTasks(root, ["*.js"])).rejects.toThrow(
      /Two modules give a task the name "shared\.name": one\.js and two\.js\. .*another name with task\(\)/,
    );
  });

  it("includes source and build of the same module", async () => {
    await write({ "src/both.js": "export function job() {}", "dist/both.js": "export function job() {}" });

    await expect(loadTasks(root, ["src/*.js", "dist/*.js"])).rejects.toThrow(
      /"both\.job": dist\/both\.js and src\/both\.js/,
    );
  });

  it("includes globs that match nothing", async () => {
    await expect(loadTasks(root, ["taks/**/*.ts"])).rejects.toThrow(
      /`tasks` \("taks\/\*\*\/\*\.ts"\) matches no module below/,
    );
  });
});

it("hands the errors of a module itself on as they are", async () => {
  await write({ "own.ts": "throw new RangeError('of its own');" });

  await expect(importModule(join(root, "own.ts"))).rejects.toThrow("of its own");
});
