import type { Durability } from "../../contracts/backend.js";
import { ConfigError } from "../../errors.js";

/**
 * For backends that know nothing of replicas, or do not wait for them.
 *
 * @param product - The beginning of a sentence: `"SQLite"`.
 * @throws {ConfigError} when `durability` asks for replicas.
 */
export function refuseReplicas(durability: Durability, product: string): void {
  if (typeof durability !== "object") return;
  throw new ConfigError([
    `durability: ${product} cannot wait for ${durability.replicas} replicas; expected "process" or "power". ` +
      "Write one of them, or use Redis. (A Postgres server waits for standbys by its own setting synchronous_standby_names.)",
  ]);
}
