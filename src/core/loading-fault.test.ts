import { expect, it } from "vitest";
import { isLoadingFault } from "./loading-fault.js";

const url = "file:///app/tasks.ts";
const internal = "    at compileSourceTextModule (node:internal/modules/esm/utils:344:16)";

function thrown(type: new (message: string) => Error, code: string | undefined, ...frames: readonly string[]): Error {
  const error = new type("it failed");
  error.stack = [`${url}:1`, "enum A {}", "     ^", "", `${error.name}: it failed`, ...frames].join("\n");
  return code === undefined ? error : Object.assign(error, { code });
}

it.each([
  ["a file that Node cannot read", thrown(TypeError, "ERR_UNKNOWN_FILE_EXTENSION", internal)],
  ["TypeScript that Node cannot strip", thrown(SyntaxError, "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", internal)],
  ["syntax that does not compile", thrown(SyntaxError, undefined, internal)],
  ["an import that does not resolve, in whatever file", thrown(Error, "ERR_MODULE_NOT_FOUND", internal)],
  [
    "one that the application awaits",
    thrown(Error, "ERR_MODULE_NOT_FOUND", internal, "    at async main (file:///app/main.ts:3:1)"),
  ],
])("is %s", (_, error) => {
  expect(isLoadingFault(error, url)).toBe(true);
});

it.each([
  [
    "JSON.parse at the top of the module",
    thrown(SyntaxError, undefined, "    at JSON.parse (<anonymous>)", `    at ${url}:1:6`),
  ],
  [
    "JSON.parse at the top of what it imports",
    thrown(SyntaxError, undefined, "    at JSON.parse (<anonymous>)", "    at file:///app/words.js:1:6"),
  ],
  [
    "an import() that the running module awaits",
    thrown(Error, "ERR_MODULE_NOT_FOUND", internal, `    at async ${url}:1:1`),
  ],
  ["an error of the module's own", thrown(RangeError, undefined, `    at ${url}:1:1`)],
  ["a value that is no error", "a text"],
])("is not %s, which must not run twice", (_, error) => {
  expect(isLoadingFault(error, url)).toBe(false);
});
