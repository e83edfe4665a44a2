import type { Receipt, RunningTask } from "./broker.js";
import type { FlowKind, Flows, Membership } from "./flows.js";
import type { Schedules } from "./schedules.js";

/**
 * Keeps tasks, attempts, groups, heartbeats: the record that people look at and the truth after a crash.
 *
 * A task stands in one of two places: unfinished, where a broker of the same backend carries it, or finished. Results and
 * envelopes are opaque, sealed texts. Any method may reject with `StoreUnavailableError`; no other error is worth
 * retrying. Everything is private to the project that the backend was opened for.
 *
 * Counterpart in Django Q2: `django_q.models` (`Task`, `OrmQ`) and `django_q.status.Stat`.
 */
export interface Store {
  readonly capabilities: StoreCapabilities;

  readonly schedules: Schedules;

  /** Chains, iterables and batches. Missing in a store that keeps none; the verbs for them are refused then. */
  readonly flows?: Flows | undefined;

  /**
   * Stores new tasks and queues them in the same write: all, or none. A repeated id changes nothing, so a producer that
   * does not know whether its write arrived may repeat it. Within one call the first of two with one id or key wins.
   */
  submit(tasks: readonly NewTask[]): Promise<Submitted[]>;

  /** Stores a task that has already run, in the caller's process (sync mode), with what follows from it. A known id changes nothing. */
  saveFinished(task: NewTask, settlement: Omit<Settlement, "receipt">): Promise<void>;

  /**
   * Ends deliveries: attempt, result, acknowledgement, follow-ups and counters in one write, each under the condition
   * that `consumer` still holds the message. `false` at an index: it does not, and nothing of that settlement was stored.
   * A success is final: no later ending changes it. Every final outcome frees the unique key.
   */
  finish(consumer: string, settlements: readonly Settlement[]): Promise<boolean[]>;

  /**
   * Cancels a waiting task, or asks the cluster that holds it to, by an order in its inbox.
   *
   * @param followUps - Queued in the same write when a waiting task was cancelled: its hook. Default none.
   * @returns `"requested"`: a cluster holds it, and was told. `"finished"`: too late. `"unknown"`: no such task.
   */
  cancel(id: string, followUps?: readonly NewTask[]): Promise<CancelAnswer>;

  /** Tasks in any state, in no particular order; unknown ids are left out. */
  get(ids: readonly string[]): Promise<StoredTask[]>;

  /** Only the finished ones among `ids`. One query, however many wait. An expired task is among them once a cluster has stored its end. */
  finished(ids: readonly string[]): Promise<StoredTask[]>;

  /** Newest task finished or queued under a name, given or made from the id. */
  findByName(name: string): Promise<string | undefined>;

  /** Every attempt, in the order in which they started. */
  attempts(id: string): Promise<AttemptRecord[]>;

  /** Finished members of a group, newest finished first. Hooks are never members. */
  group(group: string, query: GroupQuery): Promise<StoredTask[]>;

  /**
   * How many members have finished, each counted once. `"failed"`: every final outcome but success.
   *
   * @param atMost - Where counting ends: more than so many are not told apart. Without it, exact.
   */
  countGroup(group: string, which: "all" | "succeeded" | "failed", atMost?: number): Promise<number>;

  /** Takes the label off the finished members, or deletes them. Resolves to how many. Unfinished members keep the label. */
  deleteGroup(group: string, options: { readonly tasks: boolean }): Promise<number>;

  /** Progress and log lines that tasks have reported, also after their end. Notes of unknown tasks are dropped. */
  report(notes: readonly TaskNote[]): Promise<void>;

  /** Newest progress and the log of a task, oldest line first. */
  notes(id: string): Promise<TaskNotes>;

  /** Publishes a cluster's status for `ttlMs` milliseconds. */
  beat(status: ClusterStatus, ttlMs: number): Promise<void>;

  /** The clusters whose status has not expired. */
  clusters(): Promise<ClusterStatus[]>;

  /** Leaves an order for a cluster, running or not. */
  tell(clusterId: string, order: ClusterOrder): Promise<void>;

  /** Takes the orders for a cluster, each once, oldest first. */
  inbox(clusterId: string): Promise<ClusterOrder[]>;

  /** Exact while small, each number capped at `cap` + 1 beyond. Hooks are not counted. */
  counts(cap: number): Promise<TaskCounts>;

  /** Finished tasks per minute and queue, oldest first, from the minute of `since` on. Hooks are not counted. */
  throughput(since: number): Promise<MinuteRollup[]>;

  /**
   * Removes finished tasks that are older than they need to be, with their attempts and notes, in small steps. Resolves to
   * the number of tasks removed; one call may leave some for the next, and resolves to 0 when nothing is left to remove.
   */
  clean(limits: RetentionLimits): Promise<number>;

  /**
   * Calls `changed` soon after something in the store may have changed: a hint, never a promise. Call the result to stop.
   *
   * @param topic - All that the caller cares for: finished tasks, or orders for clusters. A store that tells them apart
   * spares itself the rest. Default: everything.
   */
  watch(changed: () => void, topic?: "results" | "orders"): () => void;

  /** The store's clock, in milliseconds since 1970. */
  now(): Promise<number>;
}

export interface StoreCapabilities {
  /** One write holds result, acknowledgement and follow-ups: broker and store are the same database. */
  readonly atomic: boolean;
  /** Calls block the thread while the store works; a cluster gives it a thread of its own. */
  readonly synchronous: boolean;
  /** {@link Store.watch} is driven by the store and not by a timer. */
  readonly push: boolean;
  /** Other processes see the same tasks. */
  readonly shared: boolean;
  /** The largest sealed result it keeps, in bytes. */
  readonly maxResultBytes: number;
}

export type WaitingState = "scheduled" | "queued" | "running" | "retrying";
export type FinalState = "succeeded" | "failed" | "cancelled" | "expired";
export type TaskState = WaitingState | FinalState;

/**
 * `hook`: runs because another task finished; not counted in groups, totals or rates. Others are the records of flows, which
 * are not counted either, but that of an iterable is a member of its group.
 */
export type TaskKind = "task" | "hook" | FlowKind;

export interface NewTask {
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
  /** The task's registered name, for people and lists. At most 256 characters. */
  readonly func: string;
  /** The name of this request, when one was given; otherwise the four words made from the id. At most 100 characters. */
  readonly name: string | null;
  readonly group: string | null;
  readonly kind: TaskKind;
  /** Of a hook: the task that it belongs to. Of a task: the schedule that made it. */
  readonly parent: string | null;
  readonly priority: number;
  /** Not before this many milliseconds from now, by the store's clock. */
  readonly delayMs: number;
  /** Not before this instant. The later one of both counts. */
  readonly dueAt: number | null;
  /** Never started later than this many milliseconds from now. */
  readonly expiresMs: number | null;
  readonly unique: UniqueKey | null;
  /** The flow that it is a member of. */
  readonly member?: Membership | undefined;
}

export interface UniqueKey {
  /** The task's name and the key, joined. */
  readonly key: string;
  /** What frees the key: the final outcome, or the first time the task is handed out to be started. Expiry and removal always do. */
  readonly until: "finished" | "started";
  /** Frees the key at the latest after so long. */
  readonly forMs: number | null;
}

/** `created: false`: the unique key, or the id, was taken; `id` is the task that has it. */
export interface Submitted {
  readonly id: string;
  readonly created: boolean;
}

export type CancelAnswer = "cancelled" | "requested" | "finished" | "unknown";

export type AttemptEnding = "succeeded" | "error" | "timeout" | "died" | "lost" | "released" | "cancelled";

export interface AttemptRecord {
  /** 1 for the first start. */
  readonly number: number;
  readonly ending: AttemptEnding;
  /** Counts towards the task's `attempts`. */
  readonly counted: boolean;
  readonly startedAt: number;
  readonly stoppedAt: number;
  /** `host:pid`, or what the isolation has instead. */
  readonly worker: string;
  readonly error: ErrorRecord | null;
}

/** An error as it is kept: readable in SQL, not sealed. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** Why no code ran: the message could not be opened, is poison, is unknown. Set for dead letters only. */
  readonly dead?: DeadReason | undefined;
}

export type DeadReason = "unreadable" | "signature" | "project" | "unknown-task" | "poison" | "arguments";

export interface Settlement {
  readonly receipt: Receipt;
  readonly id: string;
  /** `null` when the task never started. */
  readonly attempt: AttemptRecord | null;
  readonly outcome: Outcome;
  readonly followUps: readonly NewTask[];
}

export type Outcome =
  /** `keep: false` leaves no record of the success. */
  | { readonly to: "succeeded"; readonly result: string; readonly keep: boolean }
  | { readonly to: "failed" | "cancelled" | "expired"; readonly error: ErrorRecord }
  /** Again after a counted attempt: due in `delayMs`, and `deliveries` starts anew. */
  | { readonly to: "retrying"; readonly delayMs: number }
  /** Again, without fault: the attempt, if any, is on record and not counted. Otherwise as `Consumer.release`. */
  | { readonly to: "queued"; readonly delayMs: number; readonly suspect: boolean };

/** A task as the store has it. A waiting one past its expiry reads as `expired`, before anybody stored that end. */
export interface StoredTask {
  readonly id: string;
  readonly queue: string;
  readonly func: string;
  readonly name: string | null;
  readonly group: string | null;
  readonly kind: TaskKind;
  readonly parent: string | null;
  readonly state: TaskState;
  readonly envelope: string;
  readonly priority: number;
  readonly attempts: number;
  readonly queuedAt: number;
  /** When it may start, or could have. */
  readonly dueAt: number;
  /** Of the last attempt on record; `null` when there is none. `stoppedAt` of a finished task is never `null`. */
  readonly startedAt: number | null;
  readonly stoppedAt: number | null;
  readonly worker: string | null;
  readonly result: string | null;
  readonly error: ErrorRecord | null;
}

export interface GroupQuery {
  readonly which: "all" | "succeeded" | "failed";
  readonly limit?: number | undefined;
}

export interface TaskNote {
  readonly id: string;
  readonly at: number;
  readonly progress?: TaskProgress | undefined;
  readonly log?: string | undefined;
}

export interface TaskProgress {
  readonly done: number;
  readonly total: number | null;
  readonly note: string | null;
}

export interface TaskNotes {
  readonly progress: TaskProgress | undefined;
  readonly log: readonly { readonly at: number; readonly text: string }[];
}

/** Django Q2's words (`django_q.cluster.Sentinel.status`). */
export type ClusterState = "Starting" | "Idle" | "Working" | "Stopping" | "Stopped";

/** What a cluster says of itself. Counterpart in Django Q2: `django_q.status.Stat`. */
export interface ClusterStatus {
  readonly clusterId: string;
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** When it started, and when it said this, in milliseconds since 1970. */
  readonly tob: number;
  readonly timestamp: number;
  readonly status: ClusterState;
  readonly queues: readonly string[];
  readonly workers: readonly WorkerStatus[];
  readonly reincarnations: number;
  /** Messages in the supervisor's memory, and results not stored yet. */
  readonly taskQueueSize: number;
  readonly doneQueueSize: number;
  readonly running: readonly RunningTask[];
  /** The task names that its workers can run. */
  readonly tasks: readonly string[];
  readonly isolation: string;
  readonly version: string;
  readonly rssBytes: number;
}

export interface WorkerStatus {
  readonly pid: number;
  readonly state: "starting" | "idle" | "busy" | "retiring";
  readonly done: number;
  readonly rssBytes: number;
}

export type ClusterOrder =
  | { readonly order: "cancel"; readonly id: string }
  | { readonly order: "stop" }
  | { readonly order: "recycle" };

export interface TaskCounts {
  /** Unfinished, and held by nobody: scheduled and retrying ones too. */
  readonly queued: number;
  /** Held by a cluster. */
  readonly running: number;
  readonly succeeded: number;
  /** Every final outcome but success. */
  readonly failed: number;
}

export interface MinuteRollup {
  /** Start of the minute in which the ends were stored, in milliseconds since 1970. */
  readonly minute: number;
  readonly queue: string;
  /** Those that left no record (`keep: false`) too. */
  readonly succeeded: number;
  /** Every final outcome but success. */
  readonly failed: number;
  /** Sum of the run times of the last attempts, in milliseconds. */
  readonly busyMs: number;
}

/** Ages in milliseconds, `null` for no limit. Counterpart in Django Q2: `save_limit`, `save_limit_per`. */
export interface RetentionLimits {
  readonly successesMs: number | null;
  readonly failuresMs: number | null;
  /** Keeps only so many successes, the newest; per value of `per` when given. Tasks without that value share one limit, and hooks are counted apart. */
  readonly successesCount: number | null;
  readonly per: "group" | "name" | "func" | null;
  /** Members of a group are kept at least so long after they finished, whatever the other limits say. */
  readonly groupMs: number;
}
