import type { Durability } from "../contracts/backend.js";
import type { Logger } from "../contracts/logger.js";
import type { RetentionLimits } from "../contracts/store.js";
import type { ErrorReporter } from "../core/task-types.js";
import { checkZone } from "../core/schedule/check-zone.js";
import type { QlusterConfig } from "./config.js";
import { durability } from "./durability.js";
import { objectOf, type Part } from "./nested.js";
import { queuesReader } from "./queues.js";
import { duration, fraction, oneOf, orNull, reader, size, text, textList, wholeNumber, yesOrNo } from "./reader.js";
import type { Isolation, LogLevel } from "./resolved.js";

/** The options that stand for themselves: each is checked without a look at another one. */
export interface PlainValues {
  name: string;
  clusterName: string | null;
  tasks: readonly string[];
  queues: ReadonlyMap<string, number> | null;
  workers: number;
  concurrency: number;
  isolation: Isolation;
  daemonizeWorkers: boolean;
  lease: number;
  timeout: number | null;
  killAfter: number;
  grace: number;
  attempts: number;
  backoff: WrittenBackoff;
  hookOn: "final" | "attempt";
  scheduler: boolean;
  timeZone: string;
  catchUp: "all" | "latest" | "none";
  recycle: number;
  maxRss: number | null;
  cpuAffinity: number;
  queueLimit: number;
  maxDeliveries: number;
  unknownFor: number;
  maxMessage: number;
  maxResult: number;
  enqueueTimeout: number;
  maxPending: number;
  retention: WrittenRetention;
  cached: number | boolean;
  durability: Durability;
  compress: boolean;
  encrypt: boolean;
  secret: readonly string[] | null;
  sync: boolean;
  save: boolean;
  logLevel: LogLevel;
  logFormat: "pretty" | "json" | null;
  logger: Logger | null;
  errorReporters: readonly (string | ErrorReporter)[];
}

export interface WrittenBackoff {
  base: number;
  factor: number;
  max: number;
  jitter: number;
}

export interface WrittenRetention {
  successes: number | null;
  failures: number | null;
  maxSuccesses: number | null;
  per: RetentionLimits["per"];
  groupTtl: number;
}

const second = 1_000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const kilobyte = 1_024;

export const backoffReader: Part<WrittenBackoff>["reader"] = objectOf<WrittenBackoff>(
  {
    base: { reader: duration(), fallback: second },
    factor: { reader: fraction(1, Infinity), fallback: 2 },
    max: { reader: duration(), fallback: 10 * minute },
    jitter: { reader: fraction(0, 1), fallback: 0.5 },
  },
  '{ base: "1s", factor: 2, max: "10m", jitter: 0.5 }',
);

const retentionReader = objectOf<WrittenRetention>(
  {
    successes: { reader: orNull(duration(), "no limit"), fallback: 7 * day },
    failures: { reader: orNull(duration(), "no limit"), fallback: 90 * day },
    maxSuccesses: { reader: orNull(wholeNumber(1), "no limit"), fallback: null },
    per: { reader: orNull(oneOf("group", "name", "func"), "all together"), fallback: null },
    groupTtl: { reader: duration(), fallback: day },
  },
  '{ successes: "7d", failures: "90d" }',
);

const secretReader = reader<readonly string[]>(
  "a text, or a list of texts of which the first one signs",
  (value) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return list.length > 0 && list.every((one) => typeof one === "string" && one.trim() !== "")
      ? (list as string[])
      : undefined;
  },
  { fromText: (written) => written.split(/\s+/).filter((one) => one !== ""), show: () => "***" },
);

const cachedReader = reader<number | boolean>(
  'true, false, or a duration such as "10m"',
  (value) => (value === 0 ? false : (yesOrNo().accept(value) ?? duration(1).accept(value))),
  {
    fromText: (written) => {
      const said = yesOrNo().fromText(written);
      return typeof said === "boolean" ? said : duration().fromText(written);
    },
    show: (value) => (typeof value === "boolean" ? String(value) : duration().show(value)),
  },
);

const zoneReader = reader<string>('an IANA time zone, such as "Europe/Moscow" or "UTC"', (value) => {
  try {
    return checkZone(value);
  } catch {
    return undefined;
  }
});

const loggerReader = reader<Logger>(
  "an object with the functions debug, info, warn and error",
  (value) => (hasFunctions(value, "debug", "info", "warn", "error") ? (value as Logger) : undefined),
  { show: () => "given" },
);

const reportersReader = reader<readonly (string | ErrorReporter)[]>(
  "a list of modules or of objects with a function `report`",
  (value) => (Array.isArray(value) && value.every(isReporter) ? value : undefined),
  {
    fromText: (written) => written.split(",").map((part) => part.trim()),
    show: (list) => list.map((one) => (typeof one === "string" ? one : "given")).join(", ") || "none",
  },
);

/** Every plain option: what belongs there, and what counts when nothing is given. */
export const plainOptions: { readonly [K in keyof PlainValues]: Part<PlainValues[K]> } = {
  name: { reader: text(100), fallback: "" },
  clusterName: { reader: orNull(text(100), "the same as name"), fallback: null },
  tasks: { reader: textList('globs, such as ["core/**/*.ts"]'), fallback: [] },
  queues: { reader: { ...queuesReader, show: (map) => (map === null ? "" : queuesReader.show(map)) }, fallback: null },
  workers: { reader: wholeNumber(0, " (0: as many as processors)", 1_024), fallback: 0 },
  concurrency: { reader: wholeNumber(1, "", 10_000), fallback: 1 },
  isolation: { reader: oneOf("process", "thread", "none"), fallback: "process" },
  daemonizeWorkers: { reader: yesOrNo(), fallback: true },
  lease: { reader: duration(second), fallback: 15 * second },
  timeout: { reader: orNull(duration(1), "no limit"), fallback: 5 * minute },
  killAfter: { reader: duration(), fallback: 3 * second },
  grace: { reader: duration(), fallback: 30 * second },
  attempts: { reader: wholeNumber(0, " (0: for ever)"), fallback: 3 },
  backoff: { reader: backoffReader, fallback: { base: second, factor: 2, max: 10 * minute, jitter: 0.5 } },
  hookOn: { reader: oneOf("final", "attempt"), fallback: "final" },
  scheduler: { reader: yesOrNo(), fallback: true },
  timeZone: { reader: zoneReader, fallback: "UTC" },
  catchUp: { reader: oneOf("latest", "all", "none"), fallback: "latest" },
  recycle: { reader: wholeNumber(0, " (0: never)"), fallback: 50_000 },
  maxRss: { reader: orNull(size(1_024 * kilobyte), "no limit"), fallback: null },
  cpuAffinity: { reader: wholeNumber(0, " (0: no worker is held to any)"), fallback: 0 },
  queueLimit: { reader: wholeNumber(1), fallback: 1_000 },
  maxDeliveries: { reader: wholeNumber(1), fallback: 20 },
  unknownFor: { reader: duration(), fallback: 10 * minute },
  maxMessage: { reader: size(kilobyte), fallback: 256 * kilobyte },
  maxResult: { reader: size(kilobyte), fallback: 16 * 1_024 * kilobyte },
  enqueueTimeout: { reader: duration(), fallback: 10 * second },
  maxPending: { reader: wholeNumber(1), fallback: 1_000 },
  retention: {
    reader: retentionReader,
    fallback: { successes: 7 * day, failures: 90 * day, maxSuccesses: null, per: null, groupTtl: day },
  },
  cached: { reader: cachedReader, fallback: false },
  durability: { reader: durability, fallback: "process" },
  compress: { reader: yesOrNo(), fallback: false },
  encrypt: { reader: yesOrNo(), fallback: false },
  secret: { reader: orNull(secretReader, "one made by Qluster"), fallback: null },
  sync: { reader: yesOrNo(), fallback: false },
  save: { reader: yesOrNo(), fallback: true },
  logLevel: { reader: oneOf("debug", "info", "warn", "error", "silent"), fallback: "info" },
  logFormat: { reader: orNull(oneOf("pretty", "json"), "what fits the output"), fallback: null },
  logger: { reader: orNull(loggerReader, "none"), fallback: null },
  errorReporters: { reader: reportersReader, fallback: [] },
};

/** Options that name a technology and a place: `database` is all three, the others take one role each. */
export const addressOptions = ["database", "broker", "cache"] as const;

/** Every option there is. */
export const optionNames: readonly (keyof QlusterConfig)[] = [
  ...(Object.keys(plainOptions) as (keyof PlainValues)[]),
  ...addressOptions,
  "root",
  "preset",
  "altClusters",
];

function isReporter(value: unknown): boolean {
  return (typeof value === "string" && value !== "") || hasFunctions(value, "report");
}

function hasFunctions(value: unknown, ...names: readonly string[]): boolean {
  const object = value as Readonly<Record<string, unknown>> | null;
  return (
    (typeof value === "object" || typeof value === "function") &&
    object !== null &&
    names.every((name) => typeof object[name] === "function")
  );
}
