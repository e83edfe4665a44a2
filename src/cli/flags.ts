import { UsageError } from "./usage-error.js";

/** The flags and positional arguments of one command, after {@link checkFlags}. Reads each as what it should be. */
export interface Flags {
  readonly on: (name: string) => boolean;
  /** It was written with `--no-` before it. */
  readonly off: (name: string) => boolean;
  /** `undefined` when it was not given. */
  readonly text: (name: string) => string | undefined;
  /** A positional argument that must be there. */
  readonly required: (name: string) => string;
  /** A whole number. */
  readonly count: (name: string, least: number) => number | undefined;
  readonly oneOf: <T extends string>(name: string, values: readonly T[]) => T | undefined;
}

/** @param values - As the parser read them: texts and booleans by name. */
export function flagsFrom(values: Readonly<Record<string, unknown>>): Flags {
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    text,
    on: (name) => values[name] === true,
    off: (name) => values[name] === false,
    required: (name) => text(name) ?? missing(name),
    count: (name, least) => readCount(name, text(name), least),
    oneOf: (name, allowed) => readOneOf(name, text(name), allowed),
  };
}

function missing(name: string): never {
  throw new UsageError(`<${name}> is missing. Add --help to see how the command is written.`);
}

function readCount(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`--${name} is "${text}", but must be a whole number of at least ${least}. Write --${name}=4.`);
}

function readOneOf<T extends string>(name: string, text: string | undefined, allowed: readonly T[]): T | undefined {
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} is "${text}", but must be one of ${allowed.join(", ")}.`);
}
