import { formatDuration, parseDuration } from "../core/duration.js";
import { InvalidDurationError } from "../errors.js";
import type { Duration } from "../core/task-types.js";
import type { Problems } from "./problems.js";
import { formatSize, parseSize } from "./size.js";

/** Knows one kind of value: what belongs there, how it is checked, how it is written in a variable, how it is shown. */
export interface Reader<T> {
  /** The end of "expected …". */
  readonly expects: string;
  /** The checked value, or `undefined` after a problem was noted. */
  readonly read: (value: unknown, path: string, problems: Problems) => T | undefined;
  /** What the text of an environment variable stands for, before the check. */
  readonly fromText: (written: string) => unknown;
  readonly show: (value: T) => string;
}

/** A reader of one value without parts. */
export interface PlainReader<T> extends Reader<T> {
  /** `undefined` for what does not belong there. */
  readonly accept: (value: unknown) => T | undefined;
}

export function reader<T>(
  expects: string,
  accept: (value: unknown) => T | undefined,
  more: Partial<Pick<Reader<T>, "fromText" | "show">> = {},
): PlainReader<T> {
  return {
    expects,
    accept,
    read(value, path, problems) {
      const accepted = accept(value);
      if (accepted === undefined) problems.wrong(path, value, expects);
      return accepted;
    },
    fromText: more.fromText ?? ((written) => written),
    show: more.show ?? String,
  };
}

export function wholeNumber(least: number, meaning = "", most: number = Number.MAX_SAFE_INTEGER): PlainReader<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
  return reader(
    `a whole number ${range}${meaning}`,
    (value) => (Number.isSafeInteger(value) && inRange(value as number, least, most) ? (value as number) : undefined),
    { fromText: numberOrText },
  );
}

export function fraction(least: number, most: number): PlainReader<number> {
  const range = most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`;
  return reader(
    `a number ${range}`,
    (value) => (Number.isFinite(value) && inRange(value as number, least, most) ? (value as number) : undefined),
    { fromText: numberOrText },
  );
}

/** @param least - The shortest one that makes sense, in milliseconds. */
export function duration(least = 0): PlainReader<number> {
  const bound = least === 0 ? "" : `, at least ${formatDuration(least)}`;
  return reader(
    `a duration such as "30s", "5m" or a number of milliseconds${bound}`,
    (value) => {
      const ms = durationOf(value);
      return ms !== undefined && ms >= least ? ms : undefined;
    },
    { fromText: numberOrText, show: formatDuration },
  );
}

export function size(least: number): PlainReader<number> {
  return reader(
    `a size such as "256KB", "16MB" or a number of bytes, at least ${formatSize(least)}`,
    (value) => {
      const bytes = parseSize(value);
      return bytes !== undefined && bytes >= least ? bytes : undefined;
    },
    { fromText: numberOrText, show: formatSize },
  );
}

/** Takes `null` too. @param meaning - What `null` says, as in "no limit". */
export function orNull<T>(inner: PlainReader<T>, meaning: string): PlainReader<T | null> {
  return reader<T | null>(
    `${inner.expects}, or null for ${meaning}`,
    (value) => (value === null ? null : inner.accept(value)),
    {
      fromText: (written) => (written === "null" || written === "none" ? null : inner.fromText(written)),
      show: (value) => (value === null ? meaning : inner.show(value)),
    },
  );
}

export function oneOf<const T extends string>(...words: readonly T[]): PlainReader<T> {
  const list = words.map((word) => `"${word}"`);
  const expects = list.length === 1 ? `${list[0]}` : `${list.slice(0, -1).join(", ")} or ${list.at(-1)}`;
  return reader(expects, (value) => words.find((word) => word === value));
}

export function yesOrNo(): PlainReader<boolean> {
  return reader("true or false", (value) => (typeof value === "boolean" ? value : undefined), {
    fromText: (written) => booleans.get(written.toLowerCase()) ?? written,
  });
}

/** @param most - The longest one, in characters. */
export function text(most: number): PlainReader<string> {
  return reader(`a text of 1 to ${most} characters`, (value) =>
    typeof value === "string" && value.trim() !== "" && value.length <= most ? value : undefined,
  );
}

export function textList(of: string): PlainReader<readonly string[]> {
  return reader(
    `a list of ${of}`,
    (value) => (Array.isArray(value) && value.every(isText) ? Object.freeze([...value]) : undefined),
    { fromText: splitList, show: (value) => (value.length === 0 ? "none" : value.join(", ")) },
  );
}

export function splitList(list: string): string[] {
  return list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

const booleans = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["off", false],
]);

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function inRange(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function durationOf(value: unknown): number | undefined {
  try {
    return parseDuration(value as Duration, "");
  } catch (error) {
    if (error instanceof InvalidDurationError) return undefined;
    throw error;
  }
}

function numberOrText(written: string): unknown {
  return /^[+-]?\d+(?:\.\d+)?$/.test(written) ? Number(written) : written;
}
