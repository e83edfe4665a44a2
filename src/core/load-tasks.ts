import { relative, resolve } from "node:path";
import { TaskLoadError } from "../errors.js";
import { handleOf } from "./handle.js";
import { importModule, type ModuleExports } from "./import-module.js";
import { taskNameOf } from "./names.js";
import { defineTask, taskNames } from "./registry.js";
import type { TaskDefinition } from "./registry.js";
import type { Fn } from "./task-types.js";

export { importModule } from "./import-module.js";

const code = /\.[cm]?[jt]sx?$/;
const never = ["**/node_modules/**", "**/*.d.{ts,mts,cts}"];
const tests = ["**/*.{test,spec}.*", "**/*.test-d.*"];

/** One exported task of one module. */
interface Found {
  readonly definition: TaskDefinition;
  /** What the module exports: the function, or what `task()` made of it. */
  readonly exported: unknown;
  /** Relative to the root, for messages. */
  readonly path: string;
  readonly exportName: string;
}

/** Where a task is: in which module, relative to the root, and under which of its exports. */
export interface ExportedTask extends Pick<Found, "path" | "exportName"> {
  readonly name: string;
}

/**
 * Loads every module that the globs match and registers the functions that they export: under the name that `task()` gave,
 * else under module path and export name. Test files (`*.test.ts`, `*.spec.ts`) are left out unless a glob names them.
 *
 * @param root - The folder that the globs start from; absolute.
 * @returns The names of all tasks that this process knows now.
 * @throws {TaskLoadError} for a module that cannot be loaded, and for a name that two modules give.
 */
export async function loadTasks(root: string, globs: readonly string[]): Promise<string[]> {
  const found = await findTasks(root, globs);
  for (const { definition, exported } of withPrimaryNamesLast(found)) defineTask(definition, [exported]);
  return taskNames();
}

/**
 * Loads the same modules, and tells where each task is, without registering the plain functions among them.
 *
 * @throws {TaskLoadError} as {@link loadTasks}.
 */
export async function exportedTasks(root: string, globs: readonly string[]): Promise<ExportedTask[]> {
  const found = await findTasks(root, globs);
  return found.map(({ definition: { name }, path, exportName }) => ({ name, path, exportName }));
}

async function findTasks(root: string, globs: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const file of await matchingFiles(root, globs)) found.push(...(await tasksOf(file, root)));
  refuseSharedNames(found);
  return found;
}

async function matchingFiles(root: string, globs: readonly string[]): Promise<string[]> {
  if (globs.length === 0) return [];
  const { glob } = await import("tinyglobby");
  const namesTests = globs.some((one) => /\.(?:test|spec)\b/.test(one));
  const ignore = namesTests ? never : [...never, ...tests];
  const matched = await glob([...globs], { cwd: root, absolute: true, ignore });
  const files = matched.filter((path) => code.test(path)).map((path) => resolve(path));
  if (files.length === 0) {
    const list = globs.map((one) => `"${one}"`).join(", ");
    throw new TaskLoadError(
      `The option \`tasks\` (${list}) matches no module below ${root}. Check the globs and \`root\`.`,
    );
  }
  return files.sort();
}

async function tasksOf(file: string, root: string): Promise<Found[]> {
  const path = relative(root, file).replaceAll("\\", "/");
  let exports: ModuleExports;
  try {
    exports = await importModule(file);
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new TaskLoadError(`The task module ${path} could not be loaded: ${reason}`, { cause });
  }
  return Object.entries(exports).flatMap(([name, exported]) => taskOf(name, exported, path) ?? []);
}

function taskOf(exportName: string, exported: unknown, path: string): Found | undefined {
  const defined = handleOf(exported)?.definition;
  if (defined !== undefined) return { definition: { ...defined, source: path }, exported, path, exportName };
  if (typeof exported !== "function" || handleOf(exported) !== undefined || isClass(exported)) return undefined;
  const name = taskNameOf(path, exportName);
  const definition = { name, run: exported as Fn, options: {}, input: undefined, source: path };
  return { definition, exported, path, exportName };
}

function isClass(exported: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(exported));
}

function refuseSharedNames(found: readonly Found[]): void {
  const first = new Map<string, Found>();
  for (const one of found) {
    const other = first.get(one.definition.name);
    if (other === undefined) first.set(one.definition.name, one);
    else if (other.definition.run !== one.definition.run) {
      throw new TaskLoadError(
        `Two modules give a task the name "${one.definition.name}": ${other.path} and ${one.path}. ` +
          "Give one of them another name with task(), or let `tasks` match only one of the modules.",
      );
    }
  }
}

/** A function that is exported again elsewhere has several names; by identity it is found under the first one. */
function withPrimaryNamesLast(found: readonly Found[]): Found[] {
  const seen = new Set<Fn>();
  const primary = found.filter(({ definition }) => !seen.has(definition.run) && seen.add(definition.run));
  return [...found.filter((one) => !primary.includes(one)), ...primary];
}
