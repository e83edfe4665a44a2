import { parseDuration } from "../core/duration.js";
import type { TaskHeader } from "../core/task-header.js";
import { checkLength } from "../core/names.js";
import { quote } from "../core/quote.js";
import type { Batch, TaskOptions, Unique } from "../core/task-types.js";
import { OptionError } from "../errors.js";
import { backoffHeader } from "./backoff-header.js";
import { boundedInteger, checkKeys, filledText, refuse, trueOrFalse } from "./option-checks.js";

/** The header's fields that options alone decide. */
export type PlannedHeader = Omit<TaskHeader, "v" | "id" | "func" | "hook" | "due" | "kind" | "parent">;

/** The options of a request, checked and in milliseconds; what depends on the task or the moment is still open. */
export interface RequestPlan {
  readonly header: PlannedHeader;
  readonly queue: string | undefined;
  /** As it was given: a name, a task value, or a function that may not be loaded yet. */
  readonly hook: unknown;
  readonly delayMs: number;
  readonly runAt: number | null;
  readonly expiresMs: number | null;
  readonly unique: {
    readonly key: string;
    readonly until: "finished" | "started";
    readonly forMs: number | null;
  } | null;
  readonly sync: boolean | undefined;
  /** The option `cached` was given, be it as `false`: the configuration's says nothing here. */
  readonly saysCached: boolean;
  /** The id of the batch that it counts for. */
  readonly batch: string | undefined;
}

/** Longer keys fit no column of every database. */
const longestKey = 200;

/** The plan of a request without options. */
export const emptyPlan: RequestPlan = planRequest({});

/**
 * Checks the options of a request, before anything is written.
 *
 * @throws {OptionError} {@link InvalidDurationError} {@link TooLongError} that name the option and quote its value.
 */
export function planRequest(options: TaskOptions): RequestPlan {
  checkKeys(options);
  const batch = options.batch === undefined ? undefined : batchOf(options.batch, options);
  const delayMs = options.delay === undefined ? 0 : parseDuration(options.delay, "delay");
  const expiresMs = options.expires === undefined ? null : positive(options.expires, "expires");
  const runAt = instant(options.runAt);
  if (expiresMs !== null) checkExpiry(expiresMs, delayMs, runAt);
  return {
    header: headerOf(options),
    queue: label(options.queue, "queue"),
    hook: options.hook,
    delayMs,
    runAt,
    expiresMs,
    unique: options.unique === undefined ? null : uniqueOf(options.unique),
    sync: trueOrFalse(options.sync, "sync"),
    saysCached: options.cached !== undefined,
    batch: batch?.id,
  };
}

function batchOf(batch: unknown, { group, unique }: TaskOptions): Batch {
  const { id, name, each } = (typeof batch === "object" && batch !== null ? batch : {}) as {
    readonly [K in keyof Batch]?: unknown;
  };
  const isBatch = typeof id === "string" && typeof name === "string" && (each === null || typeof each === "string");
  if (!isBatch) throw refuse("batch", batch, 'what q.batch("name", { size }) resolved to');
  if (group !== undefined && group !== name) {
    throw new OptionError(
      `The options batch ("${name}") and group (${quote(group)}) contradict each other: the label of a batch's members is its name. ` +
        "Give one.",
    );
  }
  if (unique !== undefined) {
    throw new OptionError(
      "The option unique cannot hold in a batch: a member that is not enqueued would keep it waiting for ever. Leave it out.",
    );
  }
  return batch as Batch;
}

/** Time only shortens the way to `runAt`: what passes here passes whenever it is sent. */
function checkExpiry(expiresMs: number, delayMs: number, runAt: number | null): void {
  if (expiresMs <= delayMs) {
    throw new OptionError(
      `The options delay (${delayMs} ms) and expires (${expiresMs} ms) leave no time in which the task may start. ` +
        "Give `expires` more time than `delay`.",
    );
  }
  if (runAt !== null && Date.now() + expiresMs <= runAt) {
    throw new OptionError(
      `The options runAt (${new Date(runAt).toISOString()}) and expires (${expiresMs} ms from now) leave no time in which ` +
        "the task may start. Give `expires` more time than is left until `runAt`.",
    );
  }
}

/** Only what was given is in the header, so that what was not stays the cluster's to decide. */
function headerOf(options: TaskOptions): PlannedHeader {
  const header: { -readonly [K in keyof PlannedHeader]: PlannedHeader[K] } = {};
  const name = label(options.taskName, "taskName");
  const group = options.batch === undefined ? label(options.group, "group") : options.batch.name;
  const timeout = timeoutOf(options.timeout);
  const attempts = attemptsOf(options);
  const priority = boundedInteger(options.priority, "priority", -100, 100);
  const save = trueOrFalse(options.save, "save");
  const cached = cachedMs(options.cached);
  if (name !== undefined) header.name = name;
  if (group !== undefined) header.group = group;
  if (options.batch !== undefined) header.member = true;
  if (typeof options.batch?.each === "string") header.each = options.batch.each;
  if (timeout !== undefined) header.timeout = timeout;
  if (attempts !== undefined) header.attempts = attempts;
  if (options.backoff !== undefined) header.backoff = backoffHeader(options.backoff);
  if (priority !== undefined && priority !== 0) header.priority = priority;
  if (save !== undefined) header.save = save;
  if (cached !== undefined) header.cached = cached;
  if (options.hookOn !== undefined) header.hookOn = hookOnOf(options.hookOn);
  return header;
}

/** Django Q2 says -1 for no limit. */
function timeoutOf(timeout: TaskOptions["timeout"]): number | null | undefined {
  if (timeout === undefined || timeout === null) return timeout;
  return timeout === -1 ? null : positive(timeout, "timeout");
}

function attemptsOf(options: TaskOptions): number | undefined {
  const attempts = boundedInteger(options.attempts, "attempts", 0, Number.MAX_SAFE_INTEGER);
  if (trueOrFalse(options.ackFailure, "ackFailure") !== true) return attempts;
  if (attempts !== undefined && attempts !== 1) {
    throw new OptionError(`The options ackFailure (true) and attempts (${attempts}) contradict each other. Give one.`);
  }
  return 1;
}

function hookOnOf(value: unknown): "final" | "attempt" {
  if (value === "final" || value === "attempt") return value;
  throw refuse("hookOn", value, '"final" or "attempt"');
}

function uniqueOf(unique: string | Unique): RequestPlan["unique"] {
  const given: Unique = typeof unique === "string" ? { key: unique } : unique;
  if (typeof given !== "object" || given === null) throw refuse("unique", unique, "a key, or { key, while, for }");
  const during = given.while ?? "finished";
  if (during !== "finished" && during !== "queued") throw refuse("unique.while", during, '"finished" or "queued"');
  const key = filledText(given.key, "unique.key");
  checkLength("unique key", key, longestKey);
  return {
    key,
    until: during === "finished" ? "finished" : "started",
    forMs: given.for === undefined ? null : positive(given.for, "unique.for"),
  };
}

function label(value: unknown, option: string): string | undefined {
  if (value === undefined) return undefined;
  const text = filledText(value, option);
  checkLength(option, text, 100);
  return text;
}

function positive(value: NonNullable<TaskOptions["delay"]>, option: string): number {
  const ms = parseDuration(value, option);
  if (ms === 0) throw refuse(option, value, 'a duration above 0, such as "30s"');
  return ms;
}

function instant(value: unknown): number | null {
  if (value === undefined) return null;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  throw refuse("runAt", value, "a Date that is valid");
}

/** In milliseconds; `null` for ever, `undefined` when the result is not cached. */
export function cachedMs(cached: TaskOptions["cached"]): number | null | undefined {
  if (cached === undefined || cached === false || cached === 0) return undefined;
  return cached === true ? null : positive(cached, "cached");
}
