import { quote } from "../core/quote.js";
import type { Reader } from "./reader.js";
import { splitList } from "./reader.js";
import type { Problems } from "./problems.js";
import { isRecord } from "./nested.js";

const longestName = 100;
const heaviest = 1_000;
const weightText = `a weight, a whole number from 1 to ${heaviest}`;

/**
 * Reads `{ default: 3, media: 1 }`, `{ media: { weight: 3, apart: true } }`, `["default", "media"]`, or `default=3,media` from
 * the environment. What is apart is read by {@link apartQueues}.
 */
export const queuesReader: Reader<ReadonlyMap<string, number>> = {
  expects: 'queue names with weights, such as { default: 3, media: 1 } or ["default", "media"]',
  read(value, path, problems) {
    const entries = entriesOf(value);
    if (entries === undefined || entries.length === 0) {
      problems.wrong(path, value, this.expects);
      return undefined;
    }
    const weights = entries.map(([name, given]) => [name, weightOf(name, given, path, problems)]);
    for (const [name, weight] of weights) check(name, weight, path, problems);
    return new Map(weights as [string, number][]);
  },
  fromText: (text) => Object.fromEntries(splitList(text).map(weighted)),
  show: (queues) => [...queues].map(([name, weight]) => (weight === 1 ? name : `${name}=${weight}`)).join(", "),
};

function entriesOf(value: unknown): [unknown, unknown][] | undefined {
  if (Array.isArray(value)) return value.map((name) => [name, 1]);
  return isRecord(value) ? Object.entries(value) : undefined;
}

/** The weight of `{ weight, apart }`, or what stands in its place. */
function weightOf(name: unknown, given: unknown, path: string, problems: Problems): unknown {
  if (!isRecord(given)) return given;
  const place = `${path}.${String(name)}`;
  for (const key of Object.keys(given)) {
    if (key !== "weight" && key !== "apart") {
      problems.add(`${place}: the option ${quote(key)} does not exist. A queue has weight and apart.`);
    }
  }
  const { weight = 1, apart } = given;
  if (apart !== undefined && typeof apart !== "boolean") problems.wrong(`${place}.apart`, apart, "true or false");
  if (!isWeight(weight)) problems.wrong(`${place}.weight`, weight, weightText);
  return isWeight(weight) ? weight : 1;
}

/**
 * The queues that `queues` declares `apart: true`, anywhere in the configuration: also for clusters that do not start now, and
 * where flags or the environment say which queues are served. All processes of a project have to know them.
 */
export function apartQueues(config: Readonly<Record<string, unknown>>): readonly string[] {
  const { queues, altClusters } = config;
  const others = isRecord(altClusters) ? Object.values(altClusters).filter(isRecord) : [];
  const declared = [queues, ...others.map((other) => other["queues"])].filter(isRecord).flatMap(Object.entries);
  const apart = declared.filter(([, given]) => isRecord(given) && given["apart"] === true);
  return Object.freeze([...new Set(apart.map(([name]) => name))]);
}

function isWeight(weight: unknown): boolean {
  return Number.isInteger(weight) && (weight as number) >= 1 && (weight as number) <= heaviest;
}

function check(name: unknown, weight: unknown, path: string, problems: Problems): void {
  if (typeof name !== "string" || name.trim() === "" || name.length > longestName) {
    problems.wrong(path, name, `a queue's name of 1 to ${longestName} characters`);
  } else if (!isWeight(weight)) {
    problems.wrong(`${path}.${name}`, weight, weightText);
  }
}

function weighted(part: string): [string, unknown] {
  const [name = "", weight] = part.split("=");
  if (weight === undefined) return [name.trim(), 1];
  return [name.trim(), /^\d+$/.test(weight.trim()) ? Number(weight) : weight];
}
