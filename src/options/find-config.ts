import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const names = ["ts", "mts", "js", "mjs", "cjs", "json"].map((ending) => `qluster.config.${ending}`);

/** The folder that relative paths of a configuration start at, for a program that runs in `folder`. */
export function folderOfConfig(folder: string): string {
  const file = findConfigFile(folder);
  return file === undefined ? folder : dirname(file);
}

/** The configuration file in `folder` or the nearest folder above it, so that application and cluster share one root. */
export function findConfigFile(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const file = names.map((name) => join(at, name)).find((path) => existsSync(path));
    if (file !== undefined || dirname(at) === at) return file;
  }
}
