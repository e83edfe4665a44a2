import type { Cache } from "../contracts/cache.js";
import type { Settlement, StoredTask } from "../contracts/store.js";

/** What the store keeps instead of a result that the cache has. No sealed result looks like it: those have a signature. */
const mark = "@cached ";

/** A key for each attempt: what a late one leaves in the cache is never taken for the result of the one that counts. */
function keyOf(id: string, attempt: string): string {
  return `result:${id}:${attempt}`;
}

/** Where the result of a finished task is in the cache; `undefined`: its record has it. */
export function cacheKeyOf({ id, result }: Pick<StoredTask, "id" | "result">): string | undefined {
  return result?.startsWith(mark) === true ? keyOf(id, result.slice(mark.length)) : undefined;
}

/**
 * Puts the result of a success into the cache, and gives back what the store is to keep: everything but that. The cache comes
 * first, so that nothing is lost in between; what the store then refuses, nobody looks for.
 *
 * @param ttlMs - How long it is kept, in milliseconds; `null` for ever.
 */
export async function cacheResult<S extends Omit<Settlement, "receipt">>(
  cache: Pick<Cache, "set">,
  settlement: S,
  ttlMs: number | null,
): Promise<S> {
  const { id, attempt, outcome } = settlement;
  if (outcome.to !== "succeeded") return settlement;
  const number = String(attempt?.number ?? 0);
  await cache.set(keyOf(id, number), outcome.result, ttlMs);
  return { ...settlement, outcome: { ...outcome, result: `${mark}${number}`, keep: true } };
}
