import type { Durability } from "../../contracts/backend.js";
import { ConfigError } from "../../errors.js";
import type { ServerFacts } from "./server-facts.js";

/** The oldest one with every command that the scripts use. */
const oldest = [6, 2] as const;

/**
 * Refuses servers that cannot keep the promises.
 *
 * @param isCluster - Whether the client was told of a Redis Cluster.
 * @throws {ConfigError} with the command that mends it.
 */
export function checkServers(
  servers: readonly ServerFacts[],
  {
    durability,
    isCluster,
    shown,
  }: { readonly durability: Durability; readonly isCluster: boolean; readonly shown: string },
): void {
  const problems = new Set(servers.flatMap((server) => problemsOf(server, durability, isCluster)));
  if (problems.size > 0)
    throw new ConfigError([...problems].map((problem) => `database: Redis at ${shown} ${problem}`));
}

function problemsOf(server: ServerFacts, durability: Durability, isCluster: boolean): string[] {
  const { version, maxmemoryPolicy, isClustered } = server;
  const problems: string[] = [];
  if (isOlder(version))
    problems.push(`is version ${version}; Qluster needs ${oldest.join(".")} or newer. Upgrade the server.`);
  if (isClustered !== isCluster) {
    problems.push(
      isClustered
        ? 'is a node of a Redis Cluster. Begin the URL with "redis-cluster://" (or pass a Cluster client).'
        : 'is no Redis Cluster. Begin the URL with "redis://" (or pass a Redis client).',
    );
  }
  if (maxmemoryPolicy !== "noeviction") {
    problems.push(
      `has maxmemory-policy "${maxmemoryPolicy}", so it would throw tasks away when its memory is full. ` +
        'Run: redis-cli CONFIG SET maxmemory-policy noeviction (and write "maxmemory-policy noeviction" into redis.conf).',
    );
  }
  if (durability === "power") problems.push(...powerProblems(server));
  return problems;
}

function powerProblems({ appendOnly, appendFsync }: ServerFacts): string[] {
  if (!appendOnly) {
    return [
      'has appendonly "no", and durability is "power": a power cut would lose tasks. ' +
        "Run: redis-cli CONFIG SET appendonly yes, and: redis-cli CONFIG SET appendfsync always (and write both into redis.conf).",
    ];
  }
  if (appendFsync === "always") return [];
  const found = appendFsync === undefined ? "does not tell its appendfsync" : `has appendfsync "${appendFsync}"`;
  return [
    `${found}, and durability "power" needs "always". ` +
      'Run: redis-cli CONFIG SET appendfsync always (and write it into redis.conf), or choose durability: "process".',
  ];
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}
