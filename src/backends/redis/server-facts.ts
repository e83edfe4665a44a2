import type { RedisClient } from "./client.js";

/** What a server says of itself, as far as promises depend on it. */
export interface ServerFacts {
  readonly version: string;
  /** Part of a Redis Cluster. */
  readonly isClustered: boolean;
  readonly maxmemoryPolicy: string;
  /** The append-only file is written. */
  readonly appendOnly: boolean;
  /** When that file is forced to the disk; `undefined` when the server does not tell. */
  readonly appendFsync: string | undefined;
  /** Snapshots, as `save` has them; `undefined` when the server does not tell. */
  readonly save: string | undefined;
  readonly replicas: number;
}

/** Asks a server, or every primary of a cluster. */
export async function readServers(client: RedisClient): Promise<ServerFacts[]> {
  const nodes = client.nodes?.("master") ?? [];
  return await Promise.all((nodes.length === 0 ? [client] : nodes).map(readServer));
}

async function readServer(client: RedisClient): Promise<ServerFacts> {
  const info = fieldsOf(await client.info());
  const settings = await readSettings(client);
  return {
    version: info.get("redis_version") ?? "0",
    isClustered: info.get("cluster_enabled") === "1",
    maxmemoryPolicy: info.get("maxmemory_policy") ?? "unknown",
    appendOnly: info.get("aof_enabled") === "1",
    appendFsync: settings.get("appendfsync"),
    save: settings.get("save"),
    replicas: Number(info.get("connected_slaves") ?? 0),
  };
}

function fieldsOf(info: string): Map<string, string> {
  return new Map(
    info.split(/\r?\n/).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
}

/** Managed servers often forbid CONFIG: then these are unknown. */
async function readSettings(client: RedisClient): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  for (const name of ["appendfsync", "save"]) {
    try {
      const value = valueOf(await client.config("GET", name), name);
      if (value !== undefined) settings.set(name, value);
    } catch {
      return settings;
    }
  }
  return settings;
}

/** The reply is a list of names and values, or an object of them: that depends on the client's settings. */
function valueOf(reply: unknown, name: string): string | undefined {
  if (Array.isArray(reply)) return reply[0] === name ? String(reply[1]) : undefined;
  if (typeof reply !== "object" || reply === null) return undefined;
  const value = (reply as Readonly<Record<string, unknown>>)[name];
  return typeof value === "string" ? value : undefined;
}
