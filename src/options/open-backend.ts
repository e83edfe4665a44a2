import type { Backend, BackendOptions, OpenBackend } from "../contracts/backend.js";
import { ConfigError } from "../errors.js";
import type { ResolvedConfig } from "./resolved.js";

// Written out, so that the compiler and bundlers see which modules there are. Each loads only when its database is used.
const backends: Readonly<Record<string, () => Promise<BackendModule>>> = {
  memory: () => import("../backends/memory/index.js"),
  sqlite: () => import("../backends/sqlite/index.js"),
  postgres: () => import("../backends/postgres/index.js"),
  redis: () => import("../backends/redis/index.js"),
};

interface BackendModule {
  readonly openBackend: OpenBackend;
  /** Its driver blocks the thread that calls it. */
  readonly synchronous: boolean;
  /** Opens with the SQLite of the application. */
  readonly openBackendWith?: (options: BackendOptions, sqlite: never) => Promise<Backend>;
}

/** Whether a cluster should open this database in a thread of its own. */
export async function isSynchronous(scheme: string): Promise<boolean> {
  return (await backends[scheme]?.())?.synchronous ?? false;
}

/**
 * Opens the configured database for a process that enqueues and reads. The embedded default brings its own tables up to
 * date; a call may block for at most 50 ms and then retries for `enqueueTimeout`.
 *
 * @param overrides - What a cluster or a command needs otherwise.
 */
export async function openBackend(config: ResolvedConfig, overrides: Partial<BackendOptions> = {}): Promise<Backend> {
  return await openBackendAt(config.database.scheme, backendOptions(config, overrides));
}

/**
 * The same with the application's own SQLite: its copy and another one in the same process would not see each other's locks.
 *
 * @param sqlite - The class of its library.
 * @throws {ConfigError} when the database is no SQLite file.
 */
export async function openSqliteWith(config: ResolvedConfig, sqlite: object): Promise<Backend> {
  const { scheme } = config.database;
  const { openBackendWith } = (await backends[scheme]?.()) ?? {};
  if (openBackendWith === undefined) {
    throw new ConfigError([
      `The option sqlite goes with an SQLite file, and \`database\` names "${scheme}:". Leave it out.`,
    ]);
  }
  return await openBackendWith(backendOptions(config), sqlite as never);
}

/** What {@link openBackend} opens with. Only data where the driver blocks, so that a thread can do it. */
export function backendOptions(config: ResolvedConfig, overrides: Partial<BackendOptions> = {}): BackendOptions {
  return {
    location: config.database.location,
    project: config.name,
    durability: config.durability,
    blockMs: 50,
    retryMs: config.enqueueTimeoutMs,
    migrate: true,
    ...(config.database.client === undefined ? {} : { client: config.database.client }),
    ...overrides,
  };
}

/** @throws {ConfigError} when this version has no backend for `scheme`. */
export async function openBackendAt(scheme: string, options: BackendOptions): Promise<Backend> {
  const load = backends[scheme];
  if (load === undefined) {
    throw new ConfigError([
      `database: "${scheme}:" cannot be opened by this version of Qluster; it can open ${Object.keys(backends).join(", ")}.`,
    ]);
  }
  const { openBackend: open } = await load();
  return await open(options);
}
