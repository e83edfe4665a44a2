import { nearest } from "../core/names.js";
import type { Problems } from "./problems.js";
import { quote } from "../core/quote.js";
import type { Reader } from "./reader.js";

export interface Part<T> {
  readonly reader: Reader<T>;
  readonly fallback: T;
}

type Parts<T> = { readonly [K in keyof T]: Part<T[K]> };

/** Reads an object of options, each with its own default; an unknown key is a problem that names the nearest one. */
export function objectOf<T extends object>(parts: Parts<T>, example: string): Reader<T> {
  const keys = Object.keys(parts) as (keyof T & string)[];
  return {
    expects: `an object such as ${example}`,
    read(value, path, problems) {
      if (!isRecord(value)) {
        problems.wrong(path, value, this.expects);
        return undefined;
      }
      for (const key of Object.keys(value)) unknownKey(key, path, keys, problems);
      const result: Partial<T> = {};
      for (const key of keys) {
        const { reader, fallback } = parts[key];
        const given = value[key];
        const accepted = given === undefined ? undefined : reader.read(given, `${path}.${key}`, problems);
        result[key] = accepted === undefined ? fallback : accepted;
      }
      return Object.freeze(result as T);
    },
    fromText: (text) => parseJson(text),
    show: (value) => keys.map((key) => `${key} ${parts[key].reader.show(value[key])}`).join(", "),
  };
}

function unknownKey(key: string, path: string, known: readonly string[], problems: Problems): void {
  if (known.includes(key)) return;
  const near = nearest(key, known);
  const advice = near === undefined ? `Known are: ${known.join(", ")}.` : `Did you mean ${near}?`;
  problems.add(`${path}: the option ${quote(key)} does not exist. ${advice}`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
