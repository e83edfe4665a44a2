import type { Reader } from "./reader.js";
import { splitList } from "./reader.js";
import type { Problems } from "./problems.js";
import { isRecord } from "./nested.js";

const longestName = 100;
const heaviest = 1_000;

/** Reads `{ default: 3, media: 1 }`, `["default", "media"]`, or `default=3,media` from the environment. */
export const queuesReader: Reader<ReadonlyMap<string, number>> = {
  expects: 'queue names with weights, such as { default: 3, media: 1 } or ["default", "media"]',
  read(value, path, problems) {
    const entries = entriesOf(value);
    if (entries === undefined || entries.length === 0) {
      problems.wrong(path, value, this.expects);
      return undefined;
    }
    for (const [name, weight] of entries) check(name, weight, path, problems);
    return new Map(entries as [string, number][]);
  },
  fromText: (text) => Object.fromEntries(splitList(text).map(weighted)),
  show: (queues) => [...queues].map(([name, weight]) => (weight === 1 ? name : `${name}=${weight}`)).join(", "),
};

function entriesOf(value: unknown): [unknown, unknown][] | undefined {
  if (Array.isArray(value)) return value.map((name) => [name, 1]);
  return isRecord(value) ? Object.entries(value) : undefined;
}

function check(name: unknown, weight: unknown, path: string, problems: Problems): void {
  if (typeof name !== "string" || name.trim() === "" || name.length > longestName) {
    problems.wrong(path, name, `a queue's name of 1 to ${longestName} characters`);
  } else if (!Number.isInteger(weight) || (weight as number) < 1 || (weight as number) > heaviest) {
    problems.wrong(`${path}.${name}`, weight, `a weight, a whole number from 1 to ${heaviest}`);
  }
}

function weighted(part: string): [string, unknown] {
  const [name = "", weight] = part.split("=");
  if (weight === undefined) return [name.trim(), 1];
  return [name.trim(), /^\d+$/.test(weight.trim()) ? Number(weight) : weight];
}
