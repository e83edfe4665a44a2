import { encode } from "./codec.js";
import { memberPath } from "./value-path.js";

export interface Part {
  readonly path: string;
  /** Of its JSON. */
  readonly bytes: number;
}
interface Member extends Part {
  readonly value: unknown;
}

/** The smallest part of a value that still makes up half of it: where to look when it is too large. */
export function largestPart(value: unknown, path: string): Part {
  let part: Member = memberOf(value, path);
  for (;;) {
    const inner = largestMember(part);
    if (inner === undefined || inner.bytes * 2 < part.bytes) return { path: part.path, bytes: part.bytes };
    part = inner;
  }
}

function largestMember({ value, path }: Member): Member | undefined {
  let largest: Member | undefined;
  for (const [key, member] of membersOf(value)) {
    const candidate = memberOf(member, memberPath(path, key));
    if (largest === undefined || candidate.bytes > largest.bytes) largest = candidate;
  }
  return largest;
}

function membersOf(value: unknown): Iterable<readonly [string | number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  const isPlain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain ? Object.entries(value) : [];
}

function memberOf(value: unknown, path: string): Member {
  return { path, bytes: Buffer.byteLength(encode(value, path)), value };
}
