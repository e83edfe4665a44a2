import type { QlusterConfig } from "./config.js";
import { readEnvironment, type Environment } from "./environment.js";
import { unknownOptionText } from "./known-names.js";
import { isRecord } from "./nested.js";
import { optionNames, plainOptions, type PlainValues } from "./option-table.js";
import type { Problems } from "./problems.js";
import type { ValueSource } from "./resolved.js";

/** One place that values come from. */
export interface Layer {
  readonly source: ValueSource;
  readonly get: (option: string) => unknown;
  /** What to call the option in a message. */
  readonly pathOf: (option: string) => string;
}

export interface Found {
  readonly value: unknown;
  readonly source: ValueSource;
  readonly path: string;
}

export function flagLayer(flags: Partial<QlusterConfig>): Layer {
  return {
    source: "flag",
    get: (option) => flags[option as keyof QlusterConfig],
    pathOf: (option) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  };
}

export function environmentLayer(env: Environment): Layer {
  const found = readEnvironment(env);
  return {
    source: "environment",
    get: (option) => found.get(option)?.value,
    pathOf: (option) => found.get(option)?.variable ?? option,
  };
}

/** @param prefix - Where the object stands in the file: empty, or `altClusters.media.`. */
export function objectLayer(source: ValueSource, object: Partial<QlusterConfig>, prefix = ""): Layer {
  return {
    source,
    get: (option) => object[option as keyof QlusterConfig],
    pathOf: (option) => `${prefix}${option}`,
  };
}

/** The first layer's value that is given. */
export function find(layers: readonly Layer[], option: string): Found | undefined {
  for (const { source, get, pathOf } of layers) {
    const value = get(option);
    if (value !== undefined) return { value, source, path: pathOf(option) };
  }
  return undefined;
}

/** Reads every plain option from the first layer that gives it. */
export function readPlain(
  layers: readonly Layer[],
  problems: Problems,
): { readonly values: PlainValues; readonly sources: Map<string, ValueSource> } {
  const sources = new Map<string, ValueSource>();
  const values: Partial<PlainValues> = {};
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- keeps an option and its value together
  const readOne = <K extends keyof PlainValues>(option: K): void => {
    const found = find(layers, option);
    const { reader, fallback } = plainOptions[option];
    sources.set(option, found?.source ?? "default");
    const accepted = found === undefined ? undefined : reader.read(found.value, found.path, problems);
    values[option] = accepted === undefined ? fallback : accepted;
  };
  for (const option of Object.keys(plainOptions) as (keyof PlainValues)[]) readOne(option);
  return { values: values as PlainValues, sources };
}

/** Notes every key that is no option. */
export function checkKeys(object: object, prefix: string, problems: Problems): void {
  for (const key of Object.keys(object)) {
    if (!(optionNames as readonly string[]).includes(key)) problems.add(unknownOptionText(`${prefix}${key}`, key));
  }
}

/** Checks the overrides of every cluster, also of those that do not start now. */
export function checkAltClusters(alt: unknown, problems: Problems): alt is Readonly<Record<string, object>> {
  if (alt === undefined) return false;
  if (!isRecord(alt) || !Object.values(alt).every(isRecord)) {
    problems.wrong("altClusters", alt, "an object of clusters, such as { media: { workers: 2 } }");
    return false;
  }
  return true;
}
