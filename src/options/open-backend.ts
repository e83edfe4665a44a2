import type { Backend, BackendOptions, OpenBackend } from "../contracts/backend.js";
import { ConfigError } from "../errors.js";
import type { DatabaseAddress, ResolvedConfig } from "./resolved.js";

// Written out, so that the compiler and bundlers see which modules there are. Each loads only when its database is used.
const backends: Readonly<Record<string, () => Promise<BackendModule>>> = {
  memory: () => import("../backends/memory/index.js"),
  sqlite: () => import("../backends/sqlite/index.js"),
  postgres: () => import("../backends/postgres/index.js"),
  redis: () => import("../backends/redis/index.js"),
  backend: async () => ({ openBackend: openOwn, synchronous: false }),
};

interface BackendModule {
  readonly openBackend: OpenBackend;
  /** Its driver blocks the thread that calls it. */
  readonly synchronous: boolean;
  /** Opens with the SQLite of the application. */
  readonly openBackendWith?: (options: BackendOptions, sqlite: never) => Promise<Backend>;
}

/** The application's own: its function is what other technologies have a client for. */
const openOwn: OpenBackend = async ({ client, ...options }) => await (client as OpenBackend)(options);

/** Whether a cluster should open this database in a thread of its own. */
export async function isSynchronous(scheme: string): Promise<boolean> {
  return (await backends[scheme]?.())?.synchronous ?? false;
}

/** What a part of the configuration is opened for. */
export type Role = "database" | "broker" | "cache";

/** What differs between the parts. */
export type PartOptions = Pick<BackendOptions, "outbox" | "slotOf">;

/** Opens one part. `outbox` is given to a database whose tasks a broker elsewhere carries, `slotOf` to the place of one queue. */
export type OpenPart = (role: Role, address: DatabaseAddress, own: PartOptions) => Promise<Backend>;

/**
 * Opens the configured database, broker and cache for a process that enqueues and reads. The embedded default brings its own
 * tables up to date; a call may block for at most 50 ms and then retries for `enqueueTimeout`.
 *
 * @param overrides - What a command needs otherwise.
 */
export async function openBackend(config: ResolvedConfig, overrides: Partial<BackendOptions> = {}): Promise<Backend> {
  return await openRoles(config, (_, address, own) =>
    openBackendAt(address.scheme, backendOptions(config, address, { ...overrides, ...own })),
  );
}

/** Puts the parts together that the configuration names; most name only the database. */
export async function openRoles(config: ResolvedConfig, open: OpenPart): Promise<Backend> {
  const { database, broker, cache, apartQueues, leaseMs } = config;
  if (broker === null && cache === null && apartQueues.length === 0) return await open("database", database, {});
  const { composeBackend, outboxFor } = await import("../backends/apart/index.js");
  const opened: Backend[] = [];
  const part = async (...which: Parameters<OpenPart>): Promise<Backend> => {
    const backend = await open(...which);
    opened.push(backend);
    return backend;
  };
  try {
    const carrier = broker === null ? undefined : await part("broker", broker, {});
    const apart = new Map<string, Backend>();
    for (const slotOf of apartQueues) apart.set(slotOf, await part("broker", database, { slotOf }));
    const [first = carrier] = apart.values();
    const queues = apart.size === 0 ? undefined : apartQueues;
    const outbox = first === undefined ? undefined : outboxFor(first, leaseMs, queues);
    const store = await part("database", database, { outbox });
    if (carrier !== undefined && store.outbox === undefined) throw noOutbox(database);
    const shelf = cache === null ? undefined : await part("cache", cache, {});
    return composeBackend({ store, broker: carrier, apart, cache: shelf, outbox });
  } catch (error) {
    for (const backend of opened) await backend[Symbol.asyncDispose]();
    throw error;
  }
}

function noOutbox({ scheme }: DatabaseAddress): ConfigError {
  return new ConfigError([
    `broker: "${scheme}:" cannot keep tasks that a broker elsewhere carries. Leave broker out, or use another database.`,
  ]);
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
  return await openRoles(config, (role, address, own) => {
    const options = backendOptions(config, address, own);
    return role === "database" ? openBackendWith(options, sqlite as never) : openBackendAt(address.scheme, options);
  });
}

/** What {@link openBackend} opens with. Only data where the driver blocks, so that a thread can do it. */
export function backendOptions(
  config: ResolvedConfig,
  { location, client }: DatabaseAddress,
  overrides: Partial<BackendOptions> = {},
): BackendOptions {
  return {
    location,
    project: config.name,
    durability: config.durability,
    blockMs: 50,
    retryMs: config.enqueueTimeoutMs,
    migrate: true,
    ...(client === undefined ? {} : { client }),
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
