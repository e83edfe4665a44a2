import { maxDepth } from "./plain-json.js";

const key = Symbol.for("qluster.previous.1");

/** Stands in arguments for the result of the link before. Made by `previous()`; the codec carries it as a tag. */
export const previousMark: object = Object.freeze(Object.create({ [key]: true }) as object);

/** What {@link previousMark} is encoded as. No other value has this text in it: quotes in texts are escaped. */
export const previousTag = '{"$":"previous"}';

/** Also of another copy of this module. */
export function isPrevious(value: unknown): boolean {
  return typeof value === "object" && value !== null && key in value;
}

/** Whether the mark stands anywhere in a value. What lies too deep is refused by the codec, cycles too. */
export function includesPrevious(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null || depth > maxDepth) return false;
  if (isPrevious(value)) return true;
  const members: Iterable<unknown> =
    value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
  for (const member of members) if (includesPrevious(member, depth + 1)) return true;
  return false;
}

/** Puts `result` wherever the mark stands, in place: arguments that were decoded a moment ago belong to nobody else. */
export function fillPrevious(value: unknown, result: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isPrevious(value)) return result;
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [name, fillPrevious(member, result)]));
  if (value instanceof Set) return new Set([...value].map((member) => fillPrevious(member, result)));
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) value[index] = fillPrevious(member, result);
    return value;
  }
  for (const [name, member] of Object.entries(value)) {
    const filled = fillPrevious(member, result);
    if (filled !== member)
      Object.defineProperty(value, name, { value: filled, enumerable: true, writable: true, configurable: true });
  }
  return value;
}
