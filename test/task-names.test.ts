import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

// A program of its own: names that one file adds hold for every file that is compiled with it.
const program = `
import { createQluster, ref } from "../../src/index.js";
import type { TaskId } from "../../src/index.js";
declare module "../../src/index.js" {
  interface TaskNames { "core.resize": (id: string, width: number) => Promise<{ url: string }> }
}
const { asyncTask } = createQluster({ name: "shop", database: "memory:" });

export async function known(): Promise<void> {
  const id: TaskId<{ url: string }> = await asyncTask("core.resize", "a1", 300);
  // @ts-expect-error a string is not a width
  await asyncTask("core.resize", "a1", "300");
  // @ts-expect-error nobody has such a task
  await asyncTask("core.resiz", "a1", 300);
  await asyncTask(ref<(n: number) => string>("other.service.task"), 1);
  void id;
}
`;

it("knows names that the application adds, with their arguments and results", { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(root, "node_modules", "task-names-"));
  try {
    await writeFile(join(folder, "names.mts"), program);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../tsconfig.test.json",
        compilerOptions: { rootDir: "../.." },
        files: ["names.mts"],
        include: [],
      }),
    );

    const { stdout } = await promisify(execFile)(join(root, "node_modules", ".bin", "tsc"), ["-p", folder]).catch(
      (failed: { readonly stdout: string }) => failed,
    );

    expect(stdout.split("\n").filter((line) => line !== "" && !line.startsWith("src/"))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
