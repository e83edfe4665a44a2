import { parseRedisUrl, type RedisNode } from "../../core/redis-url.js";
import { ClientMissingError, ConfigError } from "../../errors.js";

/** Lists of arguments go in as they are: a call that spread 200,000 of them would overflow the stack. */
type Argument = string | number;

/** What this backend uses of ioredis' `Redis` and `Cluster`: an existing client of another copy of ioredis fits too. */
export interface RedisClient {
  readonly status: string;
  evalsha(sha: string, keys: number, values: readonly Argument[]): Promise<unknown>;
  eval(text: string, keys: number, values: readonly Argument[]): Promise<unknown>;
  pipeline(): RedisPipeline;
  blpop(...values: Argument[]): Promise<[string, string] | null>;
  info(section?: string): Promise<string>;
  config(verb: "GET", ...names: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  duplicate(options?: object): RedisClient;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
  /** A cluster's nodes; a single server has none. */
  nodes?(role: "master"): RedisClient[];
}

interface RedisPipeline {
  evalsha(sha: string, keys: number, values: readonly Argument[]): RedisPipeline;
  eval(text: string, keys: number, values: readonly Argument[]): RedisPipeline;
  wait(replicas: number, ms: number): RedisPipeline;
  exec(): Promise<[Error | null, unknown][] | null>;
}

interface Ioredis {
  readonly Redis: new (options: object) => RedisClient;
  readonly Cluster: new (nodes: readonly object[], options: object) => RedisClient;
}

/** Where a project lives, and how to reach it. */
export interface RedisPlace {
  /** For calls: a new one, or the application's own. */
  readonly client: RedisClient;
  /** The client is ours to close. */
  readonly isOwn: boolean;
  /** One more client, for reads that block. Always ours to close. */
  readonly newReader: () => RedisClient;
  readonly isCluster: boolean;
  readonly isTls: boolean;
  /** For people, without the password. */
  readonly shown: string;
}

/**
 * @param given - A client, or options for one, instead of the URL.
 * @throws {ClientMissingError} when ioredis is not installed. @throws {ConfigError} when the URL is none.
 */
export async function placeOf(url: string, given: unknown, answerMs: number): Promise<RedisPlace> {
  if (isClient(given)) return givenPlace(given);
  const ioredis = await importIoredis();
  return given === undefined
    ? placeByUrl(url, ioredis, answerMs)
    : placeByOptions(given as GivenOptions, ioredis, answerMs);
}

function isClient(given: unknown): given is RedisClient {
  return typeof given === "object" && given !== null && "evalsha" in given && typeof given.evalsha === "function";
}

function givenPlace(client: RedisClient): RedisPlace {
  const isCluster = client.nodes !== undefined;
  // A read that blocks outlasts what the application may allow its own commands.
  const newReader = (): RedisClient =>
    isCluster ? client.duplicate() : client.duplicate({ maxRetriesPerRequest: null, commandTimeout: undefined });
  return { client, isOwn: false, newReader, isCluster, isTls: false, shown: "the client of the application" };
}

function placeByUrl(url: string, ioredis: Ioredis, answerMs: number): RedisPlace {
  const address = parseRedisUrl(url);
  const shown = url.replace(/^([a-z-]+:\/\/[^:@]*):.*@/i, "$1:***@");
  if (typeof address === "string") throw new ConfigError([`database: "${shown}" ${address}.`]);
  const { kind, nodes, login, db } = address;
  const isCluster = kind === "cluster";
  const newClient = isCluster
    ? () => newCluster(ioredis, nodes, login)
    : () => newSingle(ioredis, { ...login, ...nodes[0], db }, answerMs);
  return { client: newClient(), isOwn: true, newReader: newClient, isCluster, isTls: "tls" in login, shown };
}

interface GivenOptions {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly tls?: object;
  readonly nodes?: readonly RedisNode[];
}

function placeByOptions({ nodes, ...options }: GivenOptions, ioredis: Ioredis, answerMs: number): RedisPlace {
  const newClient =
    nodes === undefined ? () => newSingle(ioredis, options, answerMs) : () => newCluster(ioredis, nodes, options);
  const { host = "localhost", port = 6379, path } = options;
  const shown = nodes?.map((node) => `${node.host}:${node.port}`).join(",") ?? path ?? `${host}:${port}`;
  const kind = { isCluster: nodes !== undefined, isTls: options.tls !== undefined };
  return { client: newClient(), isOwn: true, newReader: newClient, ...kind, shown };
}

function newSingle({ Redis }: Ioredis, options: object, answerMs: number): RedisClient {
  const client = new Redis({ ...options, ...connectionOptions, connectTimeout: answerMs, ...retryOptions });
  endSilentGreetings(client, answerMs);
  return client;
}

/** A server that lets us in and says nothing more would keep the client waiting for ever. */
function endSilentGreetings(client: RedisClient, answerMs: number): void {
  client.on("connect", () => {
    const timer = setTimeout(() => client.disconnect(true), answerMs).unref();
    const done = (): void => {
      clearTimeout(timer);
      client.off("ready", done);
      client.off("close", done);
    };
    client.on("ready", done);
    client.on("close", done);
  });
}

function newCluster({ Cluster }: Ioredis, nodes: readonly RedisNode[], options: object): RedisClient {
  return new Cluster(nodes, {
    redisOptions: { ...options, ...connectionOptions },
    lazyConnect: true,
    clusterRetryStrategy: pauseBefore,
    // A command whose reply was lost is told to us, and not sent twice behind our back.
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: 5_000,
  });
}

async function importIoredis(): Promise<Ioredis> {
  try {
    return (await import("ioredis")) as unknown as Ioredis;
  } catch (cause) {
    throw new ClientMissingError("ioredis", "Redis", cause);
  }
}

/** Backs off up to half a second: a server that is back is noticed soon. */
function pauseBefore(times: number): number {
  return Math.min(50 * times, 500);
}

const connectionOptions = {
  lazyConnect: true,
  connectTimeout: 3_000,
  // What did not answer is not waited for again when it is given up.
  disconnectTimeout: 250,
  keepAlive: 10_000,
  enableAutoPipelining: false,
  // What was under way when the connection ended is rejected at once: we know best what may be sent again.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // Replies of scripts are the same in both; RESP2 works with every server.
  protocol: 2,
} as const;

const retryOptions = {
  retryStrategy: pauseBefore,
  /** A replica answers where a primary was: connect anew, by its name. */
  reconnectOnError: (error: Error): boolean => error.message.startsWith("READONLY"),
};
