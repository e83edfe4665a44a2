import { existsSync, readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { importModule } from "../core/import-module.js";
import { taskByName, taskNames } from "../core/registry.js";
import { ConfigError } from "../errors.js";
import type { QlusterConfig } from "../options/config.js";
import { findConfigFile } from "../options/find-config.js";
import { ConfigFileError } from "./config-file-error.js";
import { jsonPlace } from "./json-place.js";
import { recordImports } from "./record-imports.js";

export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** What it exports, not checked yet. */
  readonly config: QlusterConfig;
  /** Files that it imports, as far as the loaders tell. */
  readonly imports: readonly string[];
}

/**
 * Finds and loads the configuration: the file given, or the nearest `qluster.config.*` upwards from `folder`.
 *
 * @returns `undefined` when none was given and there is none.
 * @throws {ConfigFileError} when it cannot be loaded, or exports no configuration; {@link ConfigError} when it loads a task.
 */
export async function loadConfigFile(folder: string, given: string | undefined): Promise<ConfigFile | undefined> {
  const path = given === undefined ? findConfigFile(folder) : resolve(folder, given);
  if (path === undefined) return undefined;
  if (!existsSync(path))
    throw new ConfigFileError(`There is no file "${given}" (looked for ${path}). Check the path after --config.`);
  const shown = relative(folder, path) || path;
  const { value, files } = await recordImports(() => load(path, shown));
  return { path, config: checkExport(value, shown), imports: files };
}

async function load(path: string, shown: string): Promise<unknown> {
  if (path.endsWith(".json")) return readJson(path, shown);
  const before = new Set(taskNames());
  const exports = await importModule(path).catch((cause: unknown) => {
    throw new ConfigFileError(`${shown} could not be loaded: ${messageOf(cause)}${placeOf(cause, path)}`, { cause });
  });
  const added = taskNames().filter((name) => !before.has(name));
  if (added.length > 0) throw new ConfigError([importsTasks(shown, added)]);
  return defaultOf(exports);
}

function readJson(path: string, shown: string): unknown {
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  const place = jsonPlace(text);
  if (place === undefined) return JSON.parse(text);
  const lines = text.slice(0, place.offset).split("\n");
  const column = (lines.at(-1) ?? "").length + 1;
  throw new ConfigFileError(`${shown} is no JSON: line ${lines.length}, column ${column}: expected ${place.expected}.`);
}

/** A module that was compiled to CommonJS has its default export one level deeper. */
function defaultOf(exports: Readonly<Record<string, unknown>>): unknown {
  const value = exports["default"];
  return isRecord(value) && value["__esModule"] === true ? value["default"] : value;
}

function checkExport(value: unknown, shown: string): QlusterConfig {
  if (isConfig(value)) return value;
  const found = value === undefined ? "has no default export" : `exports ${describe(value)} by default`;
  throw new ConfigFileError(
    `${shown} ${found}, but a configuration is expected. ` +
      'Write: export default defineConfig({ name: "shop", database: "sqlite:data/qluster.db", tasks: ["tasks/**/*.ts"] })',
  );
}

/** Its members are checked together with flags and environment, where each fault is told with its source. */
function isConfig(value: unknown): value is QlusterConfig {
  return isRecord(value) && !Array.isArray(value);
}

function importsTasks(shown: string, names: readonly string[]): string {
  const source = names.map((name) => taskByName(name)?.source).find((each) => each !== undefined);
  const place = source === undefined ? "a module that defines" : `${source}, which defines`;
  return (
    `${shown} imports ${place} the task "${names[0]}". The process that reads the configuration must not load tasks. ` +
    "Move what the configuration needs to a module of its own, and let `tasks` find the tasks."
  );
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

/** Line and column in the file itself, when the error was thrown from there. */
function placeOf(cause: unknown, path: string): string {
  const stack = cause instanceof Error ? (cause.stack ?? "") : "";
  const at = stack.indexOf(path);
  const place = at === -1 ? null : /^:(\d+)(?::(\d+))?/.exec(stack.slice(at + path.length));
  return place === null ? "" : ` (line ${place[1]}${place[2] === undefined ? "" : `, column ${place[2]}`})`;
}
