import { encode } from "./codec.js";

export interface Part {
  readonly path: string;
  /** Of its JSON. */
  readonly bytes: number;
}

/** The smallest part of a value that still makes up more than half of it: where to look when it is too large. */
export function largestPart(value: unknown, path: string): Part {
  let part: Part = { path, bytes: sizeOf(value) };
  for (let inside = value; ;) {
    const candidate = largestMember(inside, part.path);
    if (candidate === undefined || candidate.bytes * 2 < part.bytes) return part;
    inside = candidate.value;
    part = { path: candidate.path, bytes: candidate.bytes };
  }
}

function largestMember(value: unknown, path: string): (Part & { readonly value: unknown }) | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const isList = Array.isArray(value);
  if (!isList && Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  let largest: (Part & { readonly value: unknown }) | undefined;
  for (const [key, member] of Object.entries(value as Record<string, unknown>)) {
    const bytes = sizeOf(member);
    if (bytes > (largest?.bytes ?? 0)) {
      largest = { path: isList ? `${path}[${key}]` : `${path}.${key}`, bytes, value: member };
    }
  }
  return largest;
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(encode(value, "value"));
}
