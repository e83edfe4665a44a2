import { expect, it } from "vitest";
import { taskNamesFile } from "./task-names-file.js";

const typeOf = (specifier: string, name: string): string => `(typeof import("${specifier}"))["${name}"]`;
const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.startsWith("    "));

it.each([
  ["core/tasks.ts", "", "./core/tasks.js"],
  ["core/tasks.mts", "", "./core/tasks.mjs"],
  ["core/view.tsx", "", "./core/view.js"],
  ["jobs.cjs", "", "./jobs.cjs"],
  ["../shared/tasks.ts", "", "../shared/tasks.js"],
  ["core/tasks.ts", "..", "../core/tasks.js"],
])("imports %s, seen from %j below, as %s", (path, toRoot, specifier) => {
  expect(linesOf(taskNamesFile([{ name: "a", path, exportName: "run" }], toRoot))).toEqual([
    `    "a": ${typeOf(specifier, "run")};`,
  ]);
});

it("has each name once, sorted, and is a module", () => {
  const text = taskNamesFile(
    [
      { name: "b.two", path: "b.ts", exportName: "two" },
      { name: "a", path: "a.ts", exportName: "default" },
      { name: "b.two", path: "index.ts", exportName: "two" },
    ],
    "",
  );

  expect(linesOf(text)).toEqual([
    `    "a": ${typeOf("./a.js", "default")};`,
    `    "b.two": ${typeOf("./b.js", "two")};`,
  ]);
  expect(text).toMatch(/^export \{\};$/m);
});
