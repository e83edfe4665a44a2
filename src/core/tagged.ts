import { types } from "node:util";
import { UnencodableError } from "../errors.js";
import { codecFor } from "./codecs.js";
import type { NamedCodec } from "./codecs.js";
import { bytesOf, isByteType, plainError } from "./native-codecs.js";
import { isPlainJson, maxDepth } from "./plain-json.js";
import { isPrevious } from "./previous.js";
import { refused, typeNameOf } from "./refusals.js";
import { memberPath } from "./value-path.js";

/** The key that marks a tag. An object of the user's that has it is written as a tag itself. */
export const tagKey = "$";

/** A value that JSON has no form for: which codec restores it, and from what. */
interface Tag {
  readonly [tagKey]: string;
  readonly v?: unknown;
}

/** The containers that a value lies in, with their paths. */
type Ancestors = Map<object, string>;

/**
 * A copy of `value` in plain JSON, with a tag `{ "$": codec, "v": … }` for each value that JSON has no form for. Slower
 * than {@link isPlainJson}, and thorough: this is the walk that knows paths.
 *
 * @throws {UnencodableError} with the path of the first value that cannot be carried.
 */
export function toTagged(value: unknown, path: string, above: Ancestors = new Map()): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw refused(path, value);
  if (typeof value !== "object" || value === null) return primitive(value);
  const container = above.get(value);
  if (container !== undefined) {
    throw new UnencodableError(path, `is ${container} again, a cycle`, "Pass an id instead of the object itself.");
  }
  if (above.size >= maxDepth) {
    throw new UnencodableError(path, `lies more than ${maxDepth} levels deep`, "Flatten the value.");
  }
  above.set(value, path);
  const written = object(value, path, above);
  above.delete(value);
  return written;
}

function primitive(value: unknown): unknown {
  if (value === undefined) return { [tagKey]: "undefined" };
  if (typeof value === "bigint") return tag("bigint", String(value));
  // NaN, the infinities, and -0, which String() would write as 0.
  if (typeof value === "number" && !isPlainJson(value)) return tag("number", value === 0 ? "-0" : String(value));
  return value;
}

function object(value: object, path: string, above: Ancestors): unknown {
  const type = typeNameOf(value);
  if (Array.isArray(value) && type === "Array") return list(value, path, above);
  if (isPlainObject(value)) return record(value, path, above);
  if (type === "Date" && types.isDate(value)) return tag("Date", instant(value, path));
  if (type === "Map" && types.isMap(value)) return tag("Map", map(value, path, above));
  if (type === "Set" && types.isSet(value)) {
    return tag(
      "Set",
      [...value].map((item, i) => toTagged(item, `${path}.values()[${i}]`, above)),
    );
  }
  if (type === "RegExp" && types.isRegExp(value)) return tag("RegExp", [value.source, value.flags]);
  if (type === "URL" && value instanceof URL) return tag("URL", value.href);
  if ((ArrayBuffer.isView(value) || types.isArrayBuffer(value)) && isByteType(type)) {
    return tag("bytes", bytesOf(value, type));
  }
  return instance(value, path, above);
}

function instance(value: object, path: string, above: Ancestors): Tag {
  if (isPrevious(value)) return { [tagKey]: "previous" };
  const codec = codecFor(value);
  if (codec !== undefined) return tag(codec.name, toTagged(encodeWith(codec, value, path), path, above));
  if (value instanceof Error || types.isNativeError(value)) {
    const { props, ...error } = plainError(value);
    return tag("Error", { ...error, props: entries(props, path, above) });
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
    return toTagged(value[i], `${path}[${i}]`, above);
  });
}

function record(value: object, path: string, above: Ancestors): unknown {
  const written = entries(Object.entries(value), path, above);
  return Object.hasOwn(value, tagKey) ? tag("Object", written) : Object.fromEntries(written);
}

function entries(
  members: readonly (readonly [string, unknown])[],
  path: string,
  above: Ancestors,
): [string, unknown][] {
  return members.map(([key, member]) => [key, toTagged(member, memberPath(path, key), above)]);
}

function instant(value: Date, path: string): string {
  const time = Date.prototype.getTime.call(value);
  if (Number.isNaN(time)) throw new UnencodableError(path, "is an invalid Date", "Pass a valid one or null.");
  return new Date(time).toISOString();
}

function map(value: ReadonlyMap<unknown, unknown>, path: string, above: Ancestors): [unknown, unknown][] {
  return [...value].map(([key, item], i) => {
    const place = typeof key === "string" ? `${path}.get(${JSON.stringify(key)})` : `${path}.values()[${i}]`;
    return [toTagged(key, `${path}.keys()[${i}]`, above), toTagged(item, place, above)];
  });
}

function tag(codec: string, v: unknown): Tag {
  return { [tagKey]: codec, v };
}

/** Also of another realm, such as a test runner's. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}
