import type { QlusterConfig } from "../options/config.js";
import { folderOfConfig } from "../options/find-config.js";
import { resolveConfig } from "../options/resolve.js";
import type { Cluster } from "./cluster.js";
import { openLogger } from "./logger.js";
import { createCluster } from "./supervisor.js";

export interface StartClusterOptions {
  /** Where relative paths of the configuration start. Default: the folder of the nearest `qluster.config.*`, as for `createQluster`. */
  readonly root?: string | undefined;
}

/**
 * Starts a cluster inside this process, for small sites that want no second command. Its workers are processes of their
 * own, as `isolation` says; with `"none"`, tasks run right here. Resolves when all workers can work.
 *
 * The caller ends it: `process.once("SIGTERM", () => void cluster.stop())`. When this process dies, so do the workers.
 *
 * @throws {ConfigError} that lists everything that is wrong with the configuration.
 * @example
 * const cluster = await startCluster(config);
 */
export async function startCluster(config: QlusterConfig, options: StartClusterOptions = {}): Promise<Cluster> {
  const root = options.root ?? folderOfConfig(process.cwd());
  const resolved = resolveConfig(config, { root });
  const logger = openLogger(resolved);
  for (const note of resolved.notes) logger.warn(note);
  const cluster = createCluster(resolved, logger);
  await cluster.start();
  return cluster;
}
