import type { AttemptEnding, AttemptRecord, ErrorRecord, Outcome } from "../contracts/store.js";
import { backoffDelay } from "./backoff.js";
import type { TaskHeader } from "./task-header.js";

/** What decides how a task is tried, in milliseconds: the message's own header first, then the cluster's options. */
export interface RunPolicy {
  readonly timeoutMs: number | null;
  /** 0: for ever. */
  readonly attempts: number;
  readonly backoff: {
    readonly baseMs: number;
    readonly factor: number;
    readonly maxMs: number;
    readonly jitter: number;
  };
  readonly hookOn: "final" | "attempt";
  readonly save: boolean;
}

/** How one attempt ended, before anybody decided what follows. */
export interface AttemptEnd {
  readonly ending: AttemptEnding;
  readonly startedAt: number;
  readonly stoppedAt: number;
  readonly worker: string;
  /** Sealed; present for `succeeded`. */
  readonly result?: string;
  /** Present for every other ending. */
  readonly error?: ErrorRecord;
  /** No further attempt can end otherwise. */
  readonly final?: boolean;
  /** It may have killed its worker, and is not charged: it runs alone next time. */
  readonly suspect?: boolean;
}

/** Where a task stood when it was handed out. */
export interface Standing {
  readonly attempts: number;
  readonly starts: number;
}

export function policyOf(header: TaskHeader, defaults: RunPolicy): RunPolicy {
  const backoff = header.backoff;
  return {
    timeoutMs: header.timeout === undefined ? defaults.timeoutMs : header.timeout,
    attempts: header.attempts ?? defaults.attempts,
    backoff:
      backoff === undefined
        ? defaults.backoff
        : {
            baseMs: backoff.base ?? defaults.backoff.baseMs,
            factor: backoff.factor ?? defaults.backoff.factor,
            maxMs: backoff.max ?? defaults.backoff.maxMs,
            jitter: backoff.jitter ?? defaults.backoff.jitter,
          },
    hookOn: header.hookOn ?? defaults.hookOn,
    save: header.save ?? defaults.save,
  };
}

/**
 * What one attempt leads to: its record and the task's next state.
 *
 * Only what the task itself caused counts towards `attempts` (design: table of endings). Django Q2 counts saved results
 * and forgets killed ones (`django_q.monitor.save_task`).
 *
 * @param random - From 0 up to 1, for the jitter of the backoff.
 */
export function settleAttempt(
  end: AttemptEnd,
  standing: Standing,
  policy: RunPolicy,
  random: number,
): { readonly attempt: AttemptRecord; readonly outcome: Outcome } {
  const counted = countsTowardsAttempts(end.ending) && end.suspect !== true;
  const attempt: AttemptRecord = {
    number: standing.starts + 1,
    ending: end.ending,
    counted,
    startedAt: end.startedAt,
    stoppedAt: end.stoppedAt,
    worker: end.worker,
    error: end.error ?? null,
  };
  return { attempt, outcome: outcomeOf(end, standing, policy, random) };
}

function outcomeOf(end: AttemptEnd, standing: Standing, policy: RunPolicy, random: number): Outcome {
  switch (end.ending) {
    case "succeeded":
      return { to: "succeeded", result: end.result ?? "", keep: policy.save };
    case "cancelled":
      return { to: "cancelled", error: errorOf(end) };
    case "released":
    case "lost":
      return { to: "queued", delayMs: 0, suspect: end.suspect === true };
    case "error":
    case "timeout":
    case "died":
      return end.suspect === true
        ? { to: "queued", delayMs: 0, suspect: true }
        : failedOrAgain(end, standing.attempts + 1, policy, random);
  }
}

function failedOrAgain(end: AttemptEnd, failures: number, policy: RunPolicy, random: number): Outcome {
  const exhausted = policy.attempts !== 0 && failures >= policy.attempts;
  if (exhausted || end.final === true) return { to: "failed", error: errorOf(end) };
  return { to: "retrying", delayMs: backoffDelay(policy.backoff, failures, random) };
}

/** The endings that a task is answerable for. */
export function countsTowardsAttempts(ending: AttemptEnding): boolean {
  return ending !== "released" && ending !== "cancelled";
}

export function isFinal(outcome: Outcome): boolean {
  return outcome.to !== "retrying" && outcome.to !== "queued";
}

function errorOf(end: AttemptEnd): ErrorRecord {
  return end.error ?? { name: "Error", message: `The attempt ended as "${end.ending}".`, stack: null };
}
