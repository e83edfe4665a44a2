/** Where a Redis is, and how to log in. */
export interface RedisAddress {
  readonly kind: "single" | "cluster";
  readonly nodes: readonly RedisNode[];
  readonly login: RedisLogin;
  readonly db: number;
}

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

/** What an address may begin with: one server, or a Redis Cluster; with a second `s` by TLS. */
export const redisSchemes: readonly string[] = ["redis", "rediss", "redis-cluster", "rediss-cluster"];

const defaultPort = 6379;
const example = '"redis://user:password@host:6379/0", or "redis-cluster://host1:6379,host2:6379" for a Redis Cluster';

/**
 * Takes `redis://user:password@host:port/db` apart. A cluster (`redis-cluster://`) may name several of its nodes, and has
 * one database.
 *
 * @returns The end of a sentence when it is none.
 */
export function parseRedisUrl(url: string): RedisAddress | string {
  const [, scheme = "", user, hosts = "", db = ""] =
    /^(rediss?(?:-cluster)?):\/\/(?:([^@]*)@)?([^@/?#]+)(?:\/(\d*))?$/i.exec(url) ?? [];
  if (scheme === "")
    return `cannot be read as an address. Write it as ${example}; in a user or password, write %40 for @`;
  const isCluster = scheme.toLowerCase().endsWith("-cluster");
  const login = parseUser(user);
  const nodes = hosts.split(",").map(parseNode);
  const fault = [login, ...nodes].find((part) => typeof part === "string") ?? shapeFault(isCluster, nodes.length, db);
  if (fault !== undefined) return fault;
  return {
    kind: isCluster ? "cluster" : "single",
    nodes: nodes as RedisNode[],
    login: { ...(login as RedisLogin), ...(scheme.toLowerCase().startsWith("rediss") ? { tls: {} } : {}) },
    db: Number(db),
  };
}

function shapeFault(isCluster: boolean, hosts: number, db: string): string | undefined {
  if (hosts > 1 && !isCluster) return 'names several hosts, as a Redis Cluster has: begin with "redis-cluster://"';
  if (isCluster && Number(db) > 0) return "names a database, and a Redis Cluster has number 0 only: leave it away";
  return undefined;
}

function parseNode(text: string): RedisNode | string {
  const [, host = "", port] = /^(\[[0-9a-f:.]+\]|[^:\s[\]]+)(?::(\d{1,5}))?$/i.exec(text.trim()) ?? [];
  const number = port === undefined ? defaultPort : Number(port);
  if (host === "" || number < 1 || number > 65_535) {
    return `has "${text.trim()}", which is no host and port, such as "localhost:6379"`;
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: number };
}

function parseUser(text: string | undefined): RedisLogin | string {
  if (text === undefined || text === "") return {};
  const [, username = "", password] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  try {
    return {
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === undefined ? {} : { password: decodeURIComponent(password) }),
    };
  } catch {
    return 'has a "%" in the user or the password that is no code: write %25 for it, %40 for @, %2F for /';
  }
}
