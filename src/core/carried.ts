import { types } from "node:util";
import { UnencodableError } from "../errors.js";
import { codecFor } from "./codecs.js";
import type { NamedCodec } from "./codecs.js";
import { bytesOf, isByteType, plainError } from "./native-codecs.js";
import { maxDepth } from "./plain-json.js";
import { refused, typeNameOf } from "./refusals.js";
import { memberPath } from "./value-path.js";

/** A value that a codec took apart. */
export class Carried {
  readonly codec: string;
  readonly plain: unknown;

  constructor(codec: string, plain: unknown) {
    this.codec = codec;
    this.plain = plain;
  }
}

/** The containers that a value lies in, with their paths. */
type Ancestors = Map<object, string>;

/**
 * A copy of `value` that superjson surely carries unchanged: what it would alter is taken apart into {@link Carried}.
 * Slower than {@link isPlainJson}, and thorough: this is the walk that knows paths.
 *
 * @throws {UnencodableError} with the path of the first value that cannot be carried.
 */
export function toCarried(value: unknown, path: string, above: Ancestors = new Map()): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw refused(path, value);
  if (typeof value !== "object" || value === null) return value;
  const container = above.get(value);
  if (container !== undefined) {
    throw new UnencodableError(path, `is ${container} again, a cycle`, "Pass an id instead of the object itself.");
  }
  if (above.size >= maxDepth) {
    throw new UnencodableError(path, `lies more than ${maxDepth} levels deep`, "Flatten the value.");
  }
  above.set(value, path);
  const carried = objectToCarried(value, path, above);
  above.delete(value);
  return carried;
}

function objectToCarried(value: object, path: string, above: Ancestors): unknown {
  const type = typeNameOf(value);
  if (Array.isArray(value) && type === "Array") return list(value, path, above);
  if (isPlainObject(value)) return record(value, path, above);
  if (type === "Date" && types.isDate(value)) return date(value, path);
  if (type === "Map" && types.isMap(value)) return map(value, path, above);
  if (type === "Set" && types.isSet(value)) {
    return new Set([...value].map((item, i) => toCarried(item, `${path}.values()[${i}]`, above)));
  }
  if (type === "RegExp" && types.isRegExp(value)) return new RegExp(value.source, value.flags);
  if (type === "URL" && value instanceof URL) return value;
  if ((ArrayBuffer.isView(value) || types.isArrayBuffer(value)) && isByteType(type)) {
    return new Carried("bytes", bytesOf(value, type));
  }
  return instanceToCarried(value, path, above);
}

function instanceToCarried(value: object, path: string, above: Ancestors): unknown {
  const codec = codecFor(value);
  if (codec !== undefined) return new Carried(codec.name, toCarried(encodeWith(codec, value, path), path, above));
  if (value instanceof Error || types.isNativeError(value)) {
    const { props, ...error } = plainError(value);
    const carried = props.map(([key, prop]) => [key, toCarried(prop, memberPath(path, key), above)]);
    return new Carried("Error", { ...error, props: carried });
  }
  throw refused(path, value);
}

function encodeWith(codec: NamedCodec, value: object, path: string): unknown {
  try {
    return codec.encode(value);
  } catch (cause) {
    const what = `made its codec "${codec.name}" fail (${String(cause)})`;
    throw new UnencodableError(path, what, "Mend the codec.", { cause });
  }
}

function list(value: readonly unknown[], path: string, above: Ancestors): unknown[] {
  return Array.from({ length: value.length }, (_, i) => {
    if (!(i in value)) {
      throw new UnencodableError(`${path}[${i}]`, "is a hole in a sparse array", "Fill it with null or undefined.");
    }
    return toCarried(value[i], `${path}[${i}]`, above);
  });
}

/** Keys that superjson refuses, because assigning them is how prototypes get polluted. */
const riskyKeys = new Set(["__proto__", "constructor", "prototype"]);

function record(value: object, path: string, above: Ancestors): unknown {
  const entries = Object.entries(value).map(
    ([key, item]) => [key, toCarried(item, memberPath(path, key), above)] as const,
  );
  return entries.some(([key]) => riskyKeys.has(key)) ? new Carried("entries", entries) : Object.fromEntries(entries);
}

function date(value: Date, path: string): Date {
  const copy = new Date(value);
  if (Number.isNaN(copy.getTime())) throw new UnencodableError(path, "is an invalid Date", "Pass a valid one or null.");
  return copy;
}

function map(value: ReadonlyMap<unknown, unknown>, path: string, above: Ancestors): Map<unknown, unknown> {
  const entries = [...value].map(([key, item], i) => {
    const place = typeof key === "string" ? `${path}.get(${JSON.stringify(key)})` : `${path}.values()[${i}]`;
    return [toCarried(key, `${path}.keys()[${i}]`, above), toCarried(item, place, above)] as const;
  });
  return new Map(entries);
}

/** Also of another realm, such as a test runner's. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}
