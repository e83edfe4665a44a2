import { inspect } from "node:util";

/** A task's result for people, whole. */
export function showValue(value: unknown, colour: boolean): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, colors: colour, compact: 3 });
}

/** A document for programs. Values that JSON has no word for become what comes nearest. */
export function toJson(document: object): string {
  return JSON.stringify(document, plainer, 2);
}

function plainer(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  return value;
}
