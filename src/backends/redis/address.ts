import { ConfigError } from "../../errors.js";

/** Where a Redis is, and how to log in. */
export interface RedisAddress {
  readonly kind: "single" | "cluster";
  readonly nodes: readonly RedisNode[];
  readonly login: RedisLogin;
  readonly db: number;
  /** For people: without the password. */
  readonly shown: string;
}

interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

const defaultPort = 6379;
const example = '"redis://user:password@host:6379/0", or "redis-cluster://host1:6379,host2:6379" for a Redis Cluster';

/**
 * Takes a location apart: `redis://`, `rediss://` (TLS), `redis-cluster://` and `rediss-cluster://`, then
 * `user:password@host:port/db`. A cluster may name several of its nodes, and has one database.
 *
 * @throws {ConfigError} for anything else.
 */
export function parseAddress(location: string): RedisAddress {
  const [, scheme = "", user, hosts = "", db] =
    /^(rediss?(?:-cluster)?):\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/(\d*))?$/i.exec(location) ?? [];
  if (scheme === "") throw faultyUrl(location, `expected ${example}`);
  const isCluster = scheme.toLowerCase().endsWith("-cluster");
  const nodes = hosts.split(",").map((text) => parseNode(text, location));
  if (nodes.length > 1 && !isCluster) {
    throw faultyUrl(location, 'several hosts are those of a Redis Cluster: begin with "redis-cluster://"');
  }
  if (isCluster && (db ?? "") !== "" && db !== "0") {
    throw faultyUrl(location, "a Redis Cluster has database 0 only: leave the number away");
  }
  return {
    kind: isCluster ? "cluster" : "single",
    nodes,
    login: { ...parseUser(user, location), ...(scheme.toLowerCase().startsWith("rediss") ? { tls: {} } : {}) },
    db: db === undefined || db === "" ? 0 : Number(db),
    shown: masked(location),
  };
}

/** A location as it may be printed. */
function masked(location: string): string {
  return location.replace(/^([a-z-]+:\/\/[^:@/]*):[^@/]*@/i, "$1:***@");
}

function parseNode(text: string, location: string): RedisNode {
  const [, host = "", port] = /^(\[[0-9a-f:.]+\]|[^:\s[\]]+)(?::(\d{1,5}))?$/i.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === "" || number < 1 || number > 65_535) {
    throw faultyUrl(location, `"${text.trim()}" is no host and port, such as "localhost:6379"`);
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: number };
}

function parseUser(text: string | undefined, location: string): RedisLogin {
  if (text === undefined || text === "") return {};
  const [, username = "", password] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  try {
    return {
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === undefined ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    throw faultyUrl(location, 'a "%" in the user or password must be written "%25", "@" as "%40", "/" as "%2F"');
  }
}

function faultyUrl(location: string, fault: string): ConfigError {
  return new ConfigError([`database: "${masked(location)}" is no Redis URL: ${fault}.`]);
}
