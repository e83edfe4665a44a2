import type { OpenBackend } from "../contracts/backend.js";

/**
 * Where tasks, results and clusters' heartbeats live: an address, or a client of the database's own library. A form with a
 * client serves the process that has it; the command line and every cluster get theirs from their own configuration file.
 */
export type DatabaseOption = string | PostgresDatabase | RedisDatabase | OwnBackend;

/**
 * A technology that Qluster does not know, by a function that opens it. It keeps the contracts of `qluster/contracts`, and the
 * suites of `qluster/testing` say whether it does. As `broker` only its broker is used, as `cache` only its cache.
 *
 * Counterpart in Django Q2: `broker_class`.
 *
 * @example
 * defineConfig({ name: "shop", database: "sqlite:data/q.db", broker: { backend: openMyBroker, location: "amqp://host" } });
 */
export interface OwnBackend {
  backend: OpenBackend;
  /** Handed to the function. Default `""`. Two with one function and one location are the same place. */
  location?: string | undefined;
}

/**
 * Postgres by options of the package `pg`, or by a pool that the application already has.
 *
 * @example
 * defineConfig({ name: "shop", database: { postgres: new Pool({ connectionString }), schema: "jobs" } });
 */
export interface PostgresDatabase {
  /**
   * A pool stays the application's: Qluster never ends it, and holds up to five of its connections: one waits for
   * notifications, one takes tasks, one writes results, and two more serve short calls. Give it at least ten.
   */
  postgres: PostgresPool | PostgresPoolOptions;
  /** The schema that Qluster's tables live in. Default `"qluster"`. */
  schema?: string | undefined;
}

/** What Qluster uses of a `pg.Pool`. */
export interface PostgresPool {
  readonly connect: () => Promise<PostgresClient>;
}

/** What Qluster uses of a `pg.PoolClient`. */
export interface PostgresClient {
  readonly query: (text: string, values?: unknown[]) => Promise<unknown>;
  readonly release: (destroy?: boolean) => void;
}

/** Options of `new pg.Pool(…)`. What is not listed here is handed on as well. */
export interface PostgresPoolOptions {
  connectionString?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  user?: string | undefined;
  password?: string | (() => string | Promise<string>) | undefined;
  database?: string | undefined;
  ssl?: unknown;
  /** Connections at most. Default 10, at least 5. */
  max?: number | undefined;
  min?: number | undefined;
  keepAlive?: boolean | undefined;
  connectionTimeoutMillis?: number | undefined;
  idleTimeoutMillis?: number | null | undefined;
  statement_timeout?: number | false | undefined;
  query_timeout?: number | undefined;
  lock_timeout?: number | undefined;
  idle_in_transaction_session_timeout?: number | undefined;
  application_name?: string | undefined;
  options?: string | undefined;
  /** A single client is no pool. */
  connect?: undefined;
}

/**
 * Redis by a client that the application already has, or by options of the package `ioredis`.
 *
 * @example
 * defineConfig({ name: "shop", database: { redis: new Redis(url) } });
 */
export interface RedisDatabase {
  /** A `Redis` or `Cluster` stays the application's: Qluster never closes it, and reads with a duplicate of it while it waits. */
  redis: RedisConnection | RedisConnectionOptions;
}

/** What Qluster recognises a client of `ioredis` by. */
export interface RedisConnection {
  readonly status: string;
  readonly evalsha: (...values: never[]) => Promise<unknown>;
  readonly duplicate: (...values: never[]) => unknown;
}

/** Options of `new Redis(…)`, or with `nodes` of `new Cluster(…)`. What is not listed here is handed on as well. */
export interface RedisConnectionOptions {
  host?: string | undefined;
  port?: number | undefined;
  /** The path of a Unix socket. */
  path?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  db?: number | undefined;
  tls?: object | undefined;
  family?: number | undefined;
  keyPrefix?: string | undefined;
  /** Some nodes of a Redis Cluster; the others are found by them. */
  nodes?: readonly { readonly host: string; readonly port: number }[] | undefined;
  /** A client is none. */
  evalsha?: undefined;
}
