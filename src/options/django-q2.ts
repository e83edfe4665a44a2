import type { Duration } from "../core/task-types.js";
import type { DjangoQ2Config, QlusterConfig } from "./config.js";
import { isRecord } from "./nested.js";
import type { Problems } from "./problems.js";

type Written = Partial<DjangoQ2Config>;

/** Django Q2's own values, where Qluster's differ: `preset: "django-q2"` puts them under what is given. */
export function djangoQ2Values(workers: number): Partial<QlusterConfig> {
  return {
    timeout: null,
    attempts: 0,
    backoff: { base: "60s", factor: 1, max: "60s", jitter: 0 },
    retention: { successes: null, failures: null, maxSuccesses: 250 },
    hookOn: "attempt",
    catchUp: "all",
    recycle: 500,
    queueLimit: workers ** 2,
  };
}

const ignored: Readonly<Record<string, string>> = {
  bulk: "messages are taken in batches that fit the load",
  poll: "clusters are woken instead of looking again and again",
  guardCycle: "deadlines are exact whatever the cycle",
};

/** Puts Qluster's names where Django Q2's stand, with a line for each that was translated or ignored. */
export function translateDjangoQ2(
  config: Readonly<Record<string, unknown>>,
  problems: Problems,
  notes: string[],
): Partial<QlusterConfig> {
  const { retry, maxAttempts, ackFailures, saveLimit, saveLimitPer, ...rest } = config as Written;
  const { bulk, poll, guardCycle, ...known } = rest;
  for (const [key, value] of Object.entries({ bulk, poll, guardCycle })) {
    if (value !== undefined) notes.push(`${key} is read and ignored: ${ignored[key] ?? ""}.`);
  }
  if (typeof known.timeout === "number" && known.timeout > 0 && known.timeout < 1_000) {
    problems.wrong(
      "timeout",
      known.timeout,
      `a duration; a bare number is milliseconds. For seconds write "${known.timeout}s"`,
    );
  }
  const translated: Partial<QlusterConfig> = { ...known };
  translateRetry(translated, retry, notes);
  translateAttempts(translated, maxAttempts, ackFailures, notes);
  translateSaving(translated, saveLimit, saveLimitPer, notes);
  return translated;
}

function translateRetry(config: Partial<QlusterConfig>, retry: Written["retry"], notes: string[]): void {
  if (retry === undefined) return;
  const time = typeof retry === "number" ? (`${retry}s` as Duration) : retry;
  config.lease ??= time;
  config.backoff ??= { base: time, factor: 1, max: time, jitter: 0 };
  notes.push(`retry became lease and backoff.base (${String(time)}); a lease is renewed while its task runs.`);
}

function translateAttempts(
  config: Partial<QlusterConfig>,
  maxAttempts: Written["maxAttempts"],
  ackFailures: Written["ackFailures"],
  notes: string[],
): void {
  if (maxAttempts !== undefined) {
    config.attempts ??= maxAttempts;
    notes.push(`maxAttempts became attempts (${String(maxAttempts)}).`);
  }
  if (ackFailures === undefined) return;
  if (ackFailures) config.attempts = 1;
  notes.push(ackFailures ? "ackFailures became attempts: 1." : "ackFailures: false needs no option; leave it out.");
}

function translateSaving(
  config: Partial<QlusterConfig>,
  limit: Written["saveLimit"],
  per: Written["saveLimitPer"],
  notes: string[],
): void {
  if (limit !== undefined) {
    if (limit < 0) config.save ??= false;
    else config.retention = { ...kept(config), maxSuccesses: limit === 0 ? null : limit };
    notes.push(limit < 0 ? "saveLimit became save: false." : "saveLimit became retention.maxSuccesses.");
  }
  if (per === undefined) return;
  config.retention = { ...kept(config), per };
  notes.push("saveLimitPer became retention.per.");
}

function kept(config: Partial<QlusterConfig>): NonNullable<QlusterConfig["retention"]> {
  const base = { successes: null, failures: null, maxSuccesses: 250 };
  return isRecord(config.retention) ? config.retention : base;
}
