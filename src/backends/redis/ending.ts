import type { AttemptRecord, ErrorRecord, FinalState, Outcome, Settlement } from "../../contracts/store.js";

/** How a task ended, as the first line of its value keeps it: JSON. */
export interface Ending {
  readonly to: FinalState;
  /** Its last attempt; earlier ones have a list of their own. `null` when it never started. */
  readonly attempt: AttemptRecord | null;
  readonly error: ErrorRecord | null;
  /** The length of the result in UTF-16 units; `null` without a result. */
  readonly resultLength: number | null;
}

export type FinalOutcome = Extract<Outcome, { to: FinalState }>;

export function isFinal(outcome: Outcome): outcome is FinalOutcome {
  return outcome.to !== "retrying" && outcome.to !== "queued";
}

/** An ending as the scripts take it. */
export interface PackedEnding {
  /** The letters are those of `settle.lua`. */
  readonly action: "s" | "f" | "n" | "r" | "q" | "p";
  /** How long it ran, or how long it waits before it runs again, in milliseconds. */
  readonly ms: number;
  /** The {@link Ending}, or the attempt that will be followed by another, as JSON. */
  readonly record: string;
  readonly result: string;
  /** `null` when it never started. */
  readonly endedAt: number | null;
}

/** @param isMember - Of a flow, which keeps every result. */
export function packEnding(
  { attempt, outcome }: Pick<Settlement, "attempt" | "outcome">,
  isMember: boolean = false,
): PackedEnding {
  const whole = attempt === null ? null : inWholeMs(attempt);
  if (!isFinal(outcome)) return packPutBack(whole, outcome);
  const isSuccess = outcome.to === "succeeded";
  const ending: Ending = {
    to: outcome.to,
    attempt: whole,
    error: isSuccess ? null : outcome.error,
    resultLength: isSuccess ? outcome.result.length : null,
  };
  const isKept = !isSuccess || outcome.keep;
  return {
    action: isSuccess ? (isKept ? "s" : "n") : "f",
    ms: whole === null ? 0 : Math.max(0, whole.stoppedAt - whole.startedAt),
    record: isKept ? JSON.stringify(ending) : "",
    result: isSuccess && (isKept || isMember) ? outcome.result : "",
    endedAt: whole === null ? null : whole.stoppedAt,
  };
}

export function readEnding(text: string): Ending {
  return JSON.parse(text) as Ending;
}

function packPutBack(attempt: AttemptRecord | null, outcome: Exclude<Outcome, FinalOutcome>): PackedEnding {
  return {
    action: outcome.to === "retrying" ? "r" : outcome.suspect ? "p" : "q",
    ms: outcome.delayMs,
    record: attempt === null ? "" : JSON.stringify(attempt),
    result: "",
    endedAt: null,
  };
}

/** The scripts keep times as whole numbers, and a worker's name on one line. */
function inWholeMs(attempt: AttemptRecord): AttemptRecord {
  const { startedAt, stoppedAt, worker } = attempt;
  if (Number.isInteger(startedAt) && Number.isInteger(stoppedAt) && !worker.includes("\n")) return attempt;
  return {
    ...attempt,
    startedAt: Math.floor(startedAt),
    stoppedAt: Math.floor(stoppedAt),
    worker: worker.replaceAll("\n", " "),
  };
}
