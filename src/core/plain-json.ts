/** Deeper values are refused: JSON functions are recursive, and what is so deep most likely contains itself. */
export const maxDepth = 500;

/**
 * Whether `JSON.stringify` followed by `JSON.parse` gives the same value back. The hot path of every message: it says no
 * to whatever is not surely plain, and leaves saying why to the thorough walk.
 */
export function isPlainJson(value: unknown, depth = 0): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  // Finite, and not -0, which JSON writes as 0.
  if (typeof value === "number") return value === 0 ? 1 / value > 0 : value - value === 0;
  return typeof value === "object" && depth < maxDepth && isPlainContainer(value, depth + 1);
}

function isPlainContainer(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return isPlainRecord(value, depth);
  return prototype === Array.prototype && Array.isArray(value) && isPlainList(value, depth);
}

function isPlainRecord(value: object, depth: number): boolean {
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    if (!isPlainJson(record[key], depth)) return false;
  }
  return true;
}

function isPlainList(value: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < value.length; i++) {
    if (!isPlainJson(value[i], depth)) return false;
  }
  return true;
}
