import type { BackendOptions } from "./backend.js";
import type { Receipt } from "./broker.js";
import type { MemberOutcome, NewFlow } from "./flows.js";
import type { ErrorRecord, NewTask, TaskProgress } from "./store.js";

/** Everything a worker needs to know before its first task. */
export interface WorkerInit {
  readonly project: string;
  readonly clusterName: string;
  readonly workerName: string;
  /** The first one seals, all of them open. */
  readonly secrets: readonly string[];
  /** The folder that `tasks` is relative to. */
  readonly root: string;
  readonly tasks: readonly string[];
  /** Modules whose default export is an error reporter; relative to `root`. */
  readonly reporterModules: readonly string[];
  readonly concurrency: number;
  readonly recycle: number;
  /** Resident set size at which the worker is replaced, in bytes; `null` for never. */
  readonly maxRssBytes: number | null;
  readonly maxMessageBytes: number;
  readonly maxResultBytes: number;
  readonly encrypt: boolean;
  readonly compress: boolean;
  readonly logLevel: string;
  readonly logFormat: "pretty" | "json";
  readonly logColour: boolean;
  /**
   * The database that tasks are completed on, by `completeIn`. `options: null`: it is no address, and cannot be sent.
   * `broker`: what carries the tasks in its place.
   */
  readonly database: {
    readonly scheme: string;
    readonly options: BackendOptions | null;
    readonly broker: string | null;
  };
  /** What a success does where the message does not say. */
  readonly save: boolean;
  readonly hookOn: "final" | "attempt";
  /** A worker whose supervisor has been silent for so long kills itself, in milliseconds. */
  readonly silenceMs: number;
}

/** One task on its way into a worker. */
export interface Job {
  /** Counts up from 1 in each worker; tasks start in this order. */
  readonly index: number;
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  /** The number of this attempt among those that count, from 1. */
  readonly attempt: number;
  /** When it was enqueued, in milliseconds since 1970. */
  readonly queuedAt: number;
  /** Attempts on record so far, counted or not. */
  readonly starts: number;
  /** Under which hold it is, and the proof of it: `completeIn` writes on the condition that both still stand. */
  readonly consumer: string;
  readonly receipt: Receipt;
}

/** From the supervisor to a worker. */
export type ToWorker =
  | { readonly t: "init"; readonly init: WorkerInit }
  | { readonly t: "run"; readonly jobs: readonly Job[] }
  /** Give back what has not started, newest first, at most `count`. */
  | { readonly t: "recall"; readonly count: number }
  | {
      readonly t: "abort";
      readonly index: number;
      readonly reason: "timeout" | "cancelled" | "stopped" | "lost";
      /** The time-out that has passed, in milliseconds. */
      readonly limitMs: number;
    }
  /** Answer, if your loop still turns. */
  | { readonly t: "ping"; readonly n: number }
  /** Tell the signal handlers of `postExecute`. */
  | { readonly t: "stored"; readonly finished: readonly StoredNote[] }
  /** Tell the error reporters of attempts whose own worker cannot. */
  | { readonly t: "failed"; readonly failures: readonly FailureNote[] }
  /** Finish what runs, then leave. */
  | { readonly t: "retire" };

/** A failed attempt, for error reporters. */
export interface FailureNote {
  readonly id: string;
  readonly func: string;
  readonly attempt: number;
  readonly error: ErrorRecord;
}

/** A finished attempt, for `postExecute` handlers. */
export interface StoredNote {
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  readonly attempt: number;
  readonly queuedAt: number;
  readonly startedAt: number;
  readonly stoppedAt: number;
  readonly success: boolean;
  readonly result: string | null;
  readonly error: ErrorRecord | null;
  /** Of a flow, instead of `result`: how its members ended. `null`: more results than it may carry. */
  readonly members?: readonly MemberOutcome[] | null | undefined;
}

/** From a worker to the supervisor. */
export type FromWorker =
  | { readonly t: "ready"; readonly tasks: readonly string[]; readonly wantsStored: boolean }
  /** The task modules could not be loaded. */
  | { readonly t: "broken"; readonly error: ErrorRecord }
  | { readonly t: "done"; readonly reports: readonly JobReport[] }
  | { readonly t: "recalled"; readonly indexes: readonly number[] }
  | { readonly t: "pong"; readonly n: number }
  | { readonly t: "note"; readonly notes: readonly JobNote[] }
  /** Takes nothing new, and leaves when its tasks have ended. */
  | { readonly t: "retiring"; readonly why: "recycle" | "rss" | "rejection" };

export interface JobReport {
  readonly index: number;
  /** Wall time in milliseconds; `null` when nothing of the user's ran. */
  readonly startedAt: number | null;
  readonly stoppedAt: number;
  readonly ending: JobEnding;
  /** Its success was written on a transaction of its own; only the store knows whether that has committed. */
  readonly completed?: true | undefined;
}

export type JobEnding =
  | { readonly as: "succeeded"; readonly result: string }
  /** A slot of a schedule that is a flow: what to open, before this message is acknowledged. */
  | { readonly as: "opened"; readonly flow: NewFlow; readonly members: readonly NewTask[] }
  /** `final`: no attempt can end otherwise, so there is no retry. */
  | { readonly as: "error"; readonly error: ErrorRecord; readonly final: boolean }
  | { readonly as: "timeout" | "cancelled" | "stopped" | "lost"; readonly error: ErrorRecord }
  /** Nothing ran: the name is not known here, or the envelope is newer than this code. */
  | { readonly as: "unknown"; readonly error: ErrorRecord }
  /** Nothing ran, and nothing ever will: set aside. */
  | { readonly as: "dead"; readonly error: ErrorRecord };

export interface JobNote {
  readonly id: string;
  readonly at: number;
  readonly progress?: TaskProgress | undefined;
  readonly log?: string | undefined;
}
