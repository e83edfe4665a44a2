import { quote } from "../core/quote.js";
import { parseRedisUrl } from "../core/redis-url.js";
import { maskPassword } from "./mask-password.js";
import { isRecord } from "./nested.js";
import type { Problems } from "./problems.js";
import type { DatabaseAddress } from "./resolved.js";

/** Takes `redis://`, `rediss://`, `redis-cluster://` or `rediss-cluster://` with all that follows. */
export function readRedisUrl(
  { value, path }: { readonly value: string; readonly path: string },
  problems: Problems,
): DatabaseAddress | undefined {
  const parsed = parseRedisUrl(value);
  if (typeof parsed !== "string") return { scheme: "redis", location: value };
  problems.add(`${path}: ${quote(maskPassword(value))} ${parsed}.`);
  return undefined;
}

/** Takes `{ redis: <client or options> }` apart. */
export function readRedisObject(
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: Problems,
): DatabaseAddress | undefined {
  const { redis } = value;
  const other = Object.keys(value).find((key) => key !== "redis");
  if (other !== undefined) {
    problems.add(`${path}: the key ${quote(other)} does not belong beside "redis"; nothing does.`);
    return undefined;
  }
  if (!isRecord(redis)) {
    problems.wrong(`${path}.redis`, redis, "a Redis or Cluster of the package ioredis, or options for one");
    return undefined;
  }
  if (typeof redis["sendCommand"] === "function" && typeof redis["evalsha"] !== "function") {
    problems.add(
      `${path}.redis: it is a client of another package; expected a Redis or Cluster of the package ioredis.`,
    );
    return undefined;
  }
  return { scheme: "redis", location: "", client: redis };
}

/** Whether the keys of this database lie in slots. */
export function isRedisCluster({ scheme, location, client }: DatabaseAddress): boolean {
  if (scheme !== "redis") return false;
  if (client === undefined) return /^rediss?-cluster:/i.test(location);
  return (client as { nodes?: unknown }).nodes !== undefined;
}

/** A client or options as they may be printed. */
export function showRedisObject({ client }: DatabaseAddress): string {
  const { evalsha, nodes } = client as { evalsha?: unknown; nodes?: unknown };
  if (typeof evalsha === "function") return `redis: a ${typeof nodes === "function" ? "cluster client" : "client"}`;
  return "redis: options for a client";
}
