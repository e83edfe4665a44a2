import { dirname, relative, resolve } from "node:path";
import { ConfigError } from "../errors.js";
import type { QlusterConfig } from "../options/config.js";
import { resolveConfig } from "../options/resolve.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { type ConfigFile, loadConfigFile } from "./config-file.js";
import type { Flags } from "./flags.js";

/** The project that a command works on: its configuration with the flags of the command line. */
export interface Project {
  readonly config: ResolvedConfig;
  readonly file: ConfigFile | undefined;
}

/**
 * Loads and checks the configuration.
 *
 * @param overrides - What flags say, as options; those that were not given are `undefined`.
 * @throws {ConfigFileError} for a file that cannot be loaded, {@link ConfigError} for one that cannot be used.
 */
export async function openProject(flags: Flags, overrides: Partial<QlusterConfig> = {}): Promise<Project> {
  const folder = process.cwd();
  // `info --config` has another meaning, so its file has a name of its own.
  const file = await loadConfigFile(folder, flags.text("config") ?? flags.text("config-file"));
  const database = flags.text("database");
  const config = resolveWith(database === undefined ? overrides : { ...overrides, database }, file, folder);
  if (file !== undefined) await checkImports(file, config);
  return { config, file };
}

function resolveWith(flags: Partial<QlusterConfig>, file: ConfigFile | undefined, folder: string): ResolvedConfig {
  try {
    // Without a file, all of it may still come from flags and environment; what is missing is told by the check.
    const written = file?.config ?? ({} as QlusterConfig);
    return resolveConfig(written, {
      flags,
      configFile: file?.path,
      root: file === undefined ? folder : dirname(file.path),
    });
  } catch (error) {
    if (!(error instanceof ConfigError) || file !== undefined) throw error;
    const hint = `no qluster.config.ts (or .mts, .js, .mjs, .cjs, .json) was found in ${folder} or a folder above it`;
    throw new ConfigError([...error.problems, hint]);
  }
}

/** A plain function's module registers nothing, so it is found by its path. */
async function checkImports(file: ConfigFile, config: ResolvedConfig): Promise<void> {
  const others = file.imports.filter((path) => path !== file.path);
  if (others.length === 0 || config.tasks.length === 0) return;
  const { glob } = await import("tinyglobby");
  const matched = await glob([...config.tasks], { cwd: config.root, absolute: true, ignore: ["**/node_modules/**"] });
  const tasks = new Set(matched.map((path) => resolve(path)));
  const culprits = others.filter((path) => tasks.has(path)).map((path) => relative(config.root, path));
  if (culprits.length === 0) return;
  throw new ConfigError(
    culprits.map(
      (path) =>
        `${relative(config.root, file.path)} imports ${path}, which \`tasks\` matches. The process that reads the ` +
        "configuration must not load tasks. Move what the configuration needs to a module that `tasks` does not match",
    ),
  );
}
