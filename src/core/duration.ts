import { InvalidDurationError } from "../errors.js";
import type { Duration } from "./task-types.js";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const pattern = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d|w)$/;

/**
 * A duration in whole milliseconds, 0 or more. Fractions are rounded, but never to 0.
 *
 * @param path - Where the value stands, for the message: `timeout`, `backoff.base`.
 * @param options.allowInfinity - Let the number `Infinity` through. Default false.
 * @throws {InvalidDurationError} for anything that is no duration, also when the types were not kept to.
 */
export function parseDuration(
  value: Duration,
  path: string,
  options: { readonly allowInfinity?: boolean } = {},
): number {
  const ms = toMs(value);
  if (ms === Infinity && value === Infinity && options.allowInfinity === true) return ms;
  if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) throw new InvalidDurationError(path, value);
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0;
}

function toMs(value: unknown): number {
  if (typeof value === "number") return value;
  const parts = typeof value === "string" ? pattern.exec(value) : null;
  return parts === null ? Number.NaN : Number(parts[1]) * unitMs[parts[2] as keyof typeof unitMs];
}

const shown = [
  ["d", unitMs.d],
  ["h", unitMs.h],
  ["m", unitMs.m],
  ["s", unitMs.s],
  ["ms", 1],
] as const;

/** A duration for people, exact to the millisecond: `250ms`, `1m 30s`, `2d 4h`. */
export function formatDuration(ms: number): string {
  if (ms === Infinity) return "for ever";
  let rest = Math.max(0, Math.round(ms));
  const parts: string[] = [];
  for (const [unit, size] of shown) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0ms" : parts.join(" ");
}
