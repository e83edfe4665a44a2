import { ClientMissingError } from "../../errors.js";
import type { RedisAddress } from "./address.js";

type Argument = string | number;

/** What this backend uses of ioredis' `Redis` and `Cluster`: an existing client of another copy of ioredis fits too. */
export interface RedisClient {
  readonly status: string;
  evalsha(sha: string, keys: number, ...values: Argument[]): Promise<unknown>;
  eval(text: string, keys: number, ...values: Argument[]): Promise<unknown>;
  pipeline(): RedisPipeline;
  blpop(...values: Argument[]): Promise<[string, string] | null>;
  info(section?: string): Promise<string>;
  config(verb: "GET", ...names: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  duplicate(): RedisClient;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (...values: never[]) => void): unknown;
  off(event: string, listener: (...values: never[]) => void): unknown;
  /** A cluster's nodes; a single server has none. */
  nodes?(role: "master"): RedisClient[];
}

interface RedisPipeline {
  evalsha(sha: string, keys: number, ...values: Argument[]): RedisPipeline;
  eval(text: string, keys: number, ...values: Argument[]): RedisPipeline;
  wait(replicas: number, ms: number): RedisPipeline;
  exec(): Promise<[Error | null, unknown][] | null>;
}

interface Ioredis {
  readonly Redis: new (options: object) => RedisClient;
  readonly Cluster: new (nodes: readonly object[], options: object) => RedisClient;
}

/** How to make one more client for the same place. */
export type NewClient = () => RedisClient;

/** How clients of a place are made. @throws {ClientMissingError} when ioredis is not installed. */
export async function clientMaker(address: RedisAddress): Promise<NewClient> {
  const { Redis, Cluster } = await importIoredis();
  const common = { ...address.login, ...connectionOptions };
  if (address.kind === "single") {
    return () => new Redis({ ...common, ...address.nodes[0], ...retryOptions, db: address.db });
  }
  return () =>
    new Cluster(address.nodes, {
      redisOptions: common,
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
  connectTimeout: 5_000,
  keepAlive: 10_000,
  enableAutoPipelining: false,
  maxRetriesPerRequest: null,
  autoResendUnfulfilledCommands: false,
  // Replies of scripts are the same in both; RESP2 works with every server.
  protocol: 2,
} as const;

const retryOptions = {
  retryStrategy: pauseBefore,
  /** A replica answers where a primary was: connect anew, by its name. */
  reconnectOnError: (error: Error): boolean => error.message.startsWith("READONLY"),
};
