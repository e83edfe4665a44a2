import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { makeFolder } from "./run-cli.js";

const tasks = `
import { task } from "qluster";
export const resize = task("images.resize", async (id: string, width: number) => ({ url: id + width }));
export default function nightly(): void {}
export async function greet(who: string): Promise<string> { return "Hello, " + who; }
`;
const program = `
import { createQluster } from "qluster";
import type { TaskId } from "qluster";
const { asyncTask } = createQluster({ name: "shop", database: "memory:" });
export async function use(): Promise<void> {
  const id: TaskId<{ url: string }> = await asyncTask("images.resize", "a1", 300);
  const greeting: TaskId<string> = await asyncTask("core.tasks.greet", "Ada");
  await asyncTask("core.tasks");
  // @ts-expect-error a number is nobody
  await asyncTask("core.tasks.greet", 5);
  // @ts-expect-error nobody has such a task
  await asyncTask("core.tasks.great", "Ada");
  void [id, greeting];
}
`;

it("types writes a file by which tasks are known by name, with arguments and results", async () => {
  using folder = makeFolder({
    "qluster.config.json": JSON.stringify({ name: "shop", database: "memory:", tasks: ["core/**/*.ts"] }),
    "package.json": JSON.stringify({ type: "module", private: true }),
    "core/tasks.ts": tasks,
    "app.ts": program,
    "tsconfig.json": JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2023",
        strict: true,
        noEmit: true,
        types: ["node"],
        typeRoots: [resolve("node_modules/@types")],
      },
      files: ["app.ts", "types/names.d.ts"],
    }),
  });
  mkdirSync(join(folder.path, "node_modules"));
  mkdirSync(join(folder.path, "types"));
  symlinkSync(resolve("."), join(folder.path, "node_modules", "qluster"), "dir");

  const first = await folder.run("types", "--out", "types/names.d.ts");
  const again = await folder.run("types", "--out", "types/names.d.ts");

  expect(first).toMatchObject({ code: 0, stdout: "Wrote types/names.d.ts: 3 tasks.\n" });
  expect(again).toMatchObject({ code: 0, stdout: "Nothing new in types/names.d.ts: 3 tasks.\n" });
  expect(readFileSync(join(folder.path, "types/names.d.ts"), "utf8")).toContain('import("../core/tasks.js")');
  const { stdout } = await promisify(execFile)(resolve("node_modules/.bin/tsc"), ["-p", folder.path]).catch(
    (failed: { readonly stdout: string }) => failed,
  );
  expect(stdout).toBe("");
});
