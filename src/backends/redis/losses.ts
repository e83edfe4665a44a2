import type { Durability } from "../../contracts/backend.js";
import type { ServerFacts } from "./server-facts.js";

/** "Redis 7.0.15", or "Redis Cluster 7.0.15 (3 primaries)". */
export function describeServers(servers: readonly ServerFacts[]): string {
  const versions = [...new Set(servers.map(({ version }) => version))].join(", ");
  return servers.some(({ isClustered }) => isClustered)
    ? `Redis Cluster ${versions} (${servers.length} ${servers.length === 1 ? "primary" : "primaries"})`
    : `Redis ${versions}`;
}

/**
 * In one sentence for people: what a power cut and a failover may take back of what was confirmed. Of several servers, the
 * weakest one counts.
 */
export function lossesSentence(servers: readonly ServerFacts[], durability: Durability): string {
  const [server] = servers.toSorted((a, b) => strength(a) - strength(b));
  if (server === undefined) return "Nobody can tell what a power cut loses: no server answered.";
  return `A power cut ${powerCut(server)}; a failover ${failover(server, durability)}.`;
}

function strength({ appendOnly, appendFsync, replicas }: ServerFacts): number {
  return (appendOnly ? 2 : 0) + (appendFsync === "always" ? 2 : 0) + (replicas > 0 ? 1 : 0);
}

function powerCut({ appendOnly, appendFsync, save }: ServerFacts): string {
  if (appendOnly && appendFsync === "always") return "loses nothing (appendfsync always)";
  if (appendOnly && appendFsync === "no") return "may lose up to half a minute (appendfsync no)";
  if (appendOnly) return `may lose the last second (appendfsync ${appendFsync ?? "not told"})`;
  if (save === undefined) return "may lose what came after the last snapshot, if there are any (appendonly no)";
  if (save === "") return "loses every task, and so does the end of the server (appendonly no, no snapshots)";
  return "loses what came after the last snapshot, and so does a crash of the server (appendonly no)";
}

function failover({ replicas }: ServerFacts, durability: Durability): string {
  if (typeof durability === "object") {
    return `to one of the replicas that confirm every write (durability: ${durability.replicas}) loses nothing`;
  }
  if (replicas === 0) return "is not possible (no replicas)";
  return "may lose the last moments before it (durability: { replicas: 1 } waits for a replica)";
}
