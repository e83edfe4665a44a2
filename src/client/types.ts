import type { ScheduleVerb, ScheduleVerbs } from "./schedule-types.js";
import type { StandardSchema, InferInput, InferOutput } from "../core/standard-schema.js";
import type {
  ArgsOf,
  Batch,
  CheckedTask,
  Duration,
  FinishedTask,
  Fn,
  Hook,
  KnownTask,
  ResultOf,
  Target,
  Task,
  TargetResult,
  TaskError,
  TaskId,
  TaskOptions,
  TaskRef,
} from "../core/task-types.js";
import type { FlowKind } from "../contracts/flows.js";
import type { ChainId, ChainLink, Checked, Got, Link, Results } from "./chain-types.js";
import type { Elements, IterElement, IterOptions } from "./iter-types.js";
import type { AttemptRecord, CancelAnswer, ClusterStatus, TaskNotes, TaskState } from "../contracts/store.js";

type AnySchema = StandardSchema<readonly unknown[], readonly unknown[]>;
export interface NoSchema extends StandardSchema<never, never[]> {}

/** The type of {@link task}: one signature, so that an error names the one wrong argument. */
export type DefineTask = <F extends (...args: InferOutput<S>) => unknown, S extends AnySchema = NoSchema>(
  name: string,
  fn: F,
  options?: TaskOptions<F> & { input?: S | undefined },
) => S extends NoSchema ? Task<F> : CheckedTask<F, InferInput<S>>;

/** The type of {@link ref}. */
export type DefineRef = <T extends Target>(
  target: KnownTask<T> | (T extends string ? never : string),
  options?: NoInfer<TaskOptions<T>>,
) => TaskRef<T>;

export interface ReadOptions {
  /** How long to wait for the task to finish. Default 0: one look. `Infinity`: until it has. */
  wait?: Duration | undefined;
  /** Ends the wait early: the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Results that the cache keeps are found without it, too; it is here as in Django Q2. */
  cached?: boolean | undefined;
}

export interface GroupOptions extends ReadOptions {
  /** Wait until at least so many members have finished, failures included. Without `wait`: as long as it takes. */
  count?: number | undefined;
  /** `resultGroup`: take the members that failed into the list too, as their errors. Default false. */
  failures?: boolean | undefined;
}

/** What may be said of a chain. */
export interface ChainOptions {
  /** The label of all links. Default: the chain's id. At most 100 characters. */
  group?: string | undefined;
  /** A name for the chain, at most 100 characters. */
  name?: string | undefined;
  /** `"stop"` (default): a link that fails is the last one. `"continue"`: the next one runs, and its `previous()` is `undefined`. */
  onFailure?: "stop" | "continue" | undefined;
  /** Called with the finished chain: its results in the order of the links, or what failed. */
  onComplete?: Hook<unknown> | undefined;
  /** Failed when it has not ended after so long. Default `"7d"`. */
  expires?: Duration | undefined;
  /** The results can be read for so long after the end; `true` and not given: as long as the record is kept. */
  cached?: Duration | boolean | undefined;
  /** Runs it in this process, now. */
  sync?: boolean | undefined;
}

/** What a batch is, and what is called when: each a task of its own. */
export interface BatchOptions {
  /** How many tasks it has. One more is refused; with fewer it ends by `expires`. */
  size: number;
  /** Called with each finished member, beside the member's own hook. */
  // oxlint-disable-next-line typescript/no-explicit-any -- members may be of any task
  onEach?: Hook<any> | undefined;
  /** Called once when all have ended, or its time is up: `result` is `{ size }`, `error` says what failed. */
  onComplete?: Hook<{ size: number }> | undefined;
  /** Called once when all have succeeded. */
  onSuccess?: Hook<{ size: number }> | undefined;
  /** Called once when all have ended and not all have succeeded, or its time is up. */
  onFailure?: Hook<{ size: number }> | undefined;
  /** Failed when it has not ended after so long. Default `"7d"`. */
  expires?: Duration | undefined;
}

/** What can be done with a record that was read. */
export interface RecordMethods {
  /** Keeps a cached result without limit. `false`: it has expired. */
  readonly save: () => Promise<boolean>;
  /** How long the last attempt ran, in milliseconds. Counterpart in Django Q2: `time_taken`, in seconds with the time in the queue. */
  readonly timeTaken: () => number;
  /** The task's name. */
  readonly toString: () => string;
  /** `resultGroup` for the record's own group; `undefined` without one. */
  readonly groupResult: (options?: GroupOptions) => Promise<unknown[] | undefined>;
  /** `countGroup` for the record's own group; `undefined` without one. */
  readonly groupCount: (options?: { failures?: boolean | undefined }) => Promise<number | undefined>;
  /** `deleteGroup` for the record's own group; `undefined` without one. */
  readonly groupDelete: (options?: { tasks?: boolean | undefined }) => Promise<number | undefined>;
}

/** A finished task as `fetch` reads it. Counterpart in Django Q2: `django_q.models.Task`. */
export type FetchedTask<T = unknown> = FinishedTask<T> & RecordMethods;

/** Where a chain, an iterable or a batch stands. */
export interface FlowStatus {
  readonly id: string;
  readonly kind: FlowKind;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly state: "open" | "succeeded" | "failed" | "cancelled";
  /** How many links, elements or tasks it has; `undefined` while an iterable is still being submitted. */
  readonly size: number | undefined;
  /** How many of them have ended, and how many of those without success. */
  readonly done: number;
  readonly failed: number;
  /** The index of the step that runs, or ran last: of a chain, the link in the list it was made of. */
  readonly current: number;
  /** The index of the first link or element that failed; the links of a `parallel` are counted one by one. */
  readonly failedAt: number | undefined;
  readonly error: TaskError | undefined;
  /** Of a chain: its links, with the id of the task that each is or will be. */
  readonly links: readonly { readonly id: string; readonly func: string; readonly state: TaskState | "waiting" }[];
  readonly openedAt: Date;
  readonly expiresAt: Date | undefined;
  readonly endedAt: Date | undefined;
}

/** The verbs that enqueue. Properties, not methods: they may be destructured. */
export interface EnqueueVerbs {
  /**
   * Queues one task. Resolves to its id once the store has confirmed the write; it never waits for the task.
   * With a `unique` key that is taken, resolves to the id of the task that holds it.
   */
  readonly asyncTask: <T extends Target>(target: KnownTask<T>, ...args: ArgsOf<T>) => Promise<TaskId<TargetResult<T>>>;

  /** Queues many tasks in one write: all of them, or none. Ids keep their places. */
  readonly asyncTasks: <const L extends readonly Link[]>(
    links: L,
  ) => Promise<{ -readonly [K in keyof L]: TaskId<Got<L[K]>> }>;
}

/** The verbs that enqueue many tasks which belong together. */
export interface FlowVerbs {
  /**
   * Runs links one after the other: each is queued when the one before has ended, by the write that stores its result. Resolves
   * to the id of the chain once all of it is stored. `previous()` among the arguments of a link stands for the result of the
   * one before; `parallel([...])` runs several side by side, and the next link gets their results as an array.
   *
   * A link that fails, after its retries, ends the chain, unless `onFailure` is `"continue"`.
   *
   * @throws {OptionError} for an empty chain, for what is no link, and for links with a `unique` key.
   * @throws {PreviousError} for `previous()` where no link is before.
   * Counterpart in Django Q2: `async_chain`.
   */
  readonly asyncChain: <const L extends readonly ChainLink[]>(
    links: L & Checked<L>,
    options?: ChainOptions,
  ) => Promise<ChainId<Results<L>>>;

  /**
   * Runs a task once for each element, and collects what they return in the order of the input. Any iterable or async iterable
   * will do: it is read and written in batches, so its size does not matter. Resolves to the id of the one record of all, once
   * everything is enqueued; it ends when all elements have, and succeeds if all of them did.
   *
   * An element that is an array is the list of arguments; anything else is the one argument.
   *
   * @throws {OptionError} for what is no iterable, and for a task with a `unique` key. What is refused in the middle cancels
   *   what was enqueued before.
   * Counterpart in Django Q2: `async_iter`.
   */
  readonly asyncIter: <T extends Target>(
    target: KnownTask<T>,
    elements: Elements<ArgsOf<T>>,
    options?: IterOptions<TargetResult<T>>,
  ) => Promise<TaskId<TargetResult<T>[]>>;
}

/** How to write on a transaction. */
export interface TransactionOptions {
  /**
   * How long to wait for a `unique` key, or the name of a schedule, that another transaction, still open, may hold. Default `"2s"`. Then the call
   * rejects with {@link StoreUnavailableError}, and the transaction is as healthy as before.
   */
  lockTimeout?: Duration | undefined;
}

/** The verbs of {@link Qluster.in}. */
export interface TransactionVerbs extends EnqueueVerbs, FlowVerbs {
  /**
   * Stores a schedule, which is there if and only if the transaction commits. `upsert` is refused. A name that is taken is
   * told as ever, and the transaction goes on.
   *
   * @throws {StoreUnavailableError} when another open transaction makes one with the same name, after `lockTimeout`.
   */
  readonly schedule: ScheduleVerb;
}

/** The enqueue verbs of {@link Qluster.afterCommit}. */
export interface AfterCommitVerbs extends EnqueueVerbs {
  /**
   * Say that the transaction has committed: everything that was held is enqueued then. Resolves when it is written. With
   * Knex and Sequelize it is called by itself; to call it once more is harmless, and tells when it is done.
   */
  readonly committed: () => Promise<void>;
}

/** What `status` says. */
export interface TaskStatus {
  readonly state: TaskState;
  readonly attempts: number;
  readonly queuedAt: Date;
  readonly dueAt: Date;
  readonly startedAt: Date | undefined;
  readonly stoppedAt: Date | undefined;
  readonly notes: TaskNotes;
}

/** One connection to a queue, with its verbs bound to it. */
export interface Qluster extends EnqueueVerbs, FlowVerbs, AsyncDisposable {
  /**
   * The enqueue verbs on a transaction of the application, on the database that `database` names: the task is there if and
   * only if the transaction commits. A verb resolves when its row is written, not committed; the id may be stored in the
   * same transaction. Clusters are woken by the commit.
   *
   * On a synchronous connection (better-sqlite3, libsql, node:sqlite) the row is written before the verb returns its
   * promise, and what it refuses is thrown at once, so that it works inside `db.transaction(() => …)` as well. It cannot
   * wait there: call {@link Qluster.open} once before.
   *
   * @param tx - What the library calls a transaction; docs/transactions.md has the list.
   * @throws {TransactionError} for what is no transaction that is known, is not open, or is on another database.
   * @example
   * await prisma.$transaction((tx) => q.in(tx).asyncTask(resize, "a1", 300));
   */
  readonly in: (tx: object, options?: TransactionOptions) => TransactionVerbs;
  /**
   * Calls `work`, and writes what this connection's own verbs enqueue in it on `tx`, however deep: for code that gets no
   * `tx` handed down. Only its enqueue verbs join; `result` and the like read as ever. Await every verb in `work`: one that
   * is called after it has ended is refused.
   *
   * @returns What `work` returns.
   */
  readonly withTransaction: <R>(tx: object, work: () => R, options?: TransactionOptions) => R;
  /**
   * Enqueue verbs for a transaction on another database than the queue's. Requests are checked at once and enqueued after
   * the commit: a rollback leaves none, but a crash between the commit and the write loses them. Where {@link Qluster.in}
   * works, it has no such gap. With a `unique` key that turns out to be taken, the id is of a task that never was.
   *
   * @param tx - A transaction of Knex or Sequelize, which tell of their commit. With any other library call `committed()`
   *   after the commit.
   * @example
   * const later = q.afterCommit();
   * await db.transaction(async (tx) => { …; await later.asyncTask(resize, "a1", 300); });
   * await later.committed();
   */
  readonly afterCommit: (tx?: object) => AfterCommitVerbs;
  /** Opens the database now, instead of with the first verb. */
  readonly open: () => Promise<void>;
  /**
   * The result, or `undefined` when the task has not finished in time.
   *
   * @param id - An id; or a task's name, for which the newest is taken.
   * @throws {TaskFailedError} when it failed, was cancelled or expired.
   * @throws {ResultExpiredError} when its result was cached, and the time is over.
   */
  readonly result: <R = unknown>(id: TaskId<R> | string, options?: ReadOptions) => Promise<ResultOf<R> | undefined>;
  /** The whole record, or `undefined` when the task has not finished in time. */
  readonly fetch: <R = unknown>(id: TaskId<R> | string, options?: ReadOptions) => Promise<FetchedTask<R> | undefined>;
  /** Where a task stands; `undefined` when nobody knows it. */
  readonly status: (id: string) => Promise<TaskStatus | undefined>;
  /** Every attempt, in the order in which they started. */
  readonly attempts: (id: string) => Promise<AttemptRecord[]>;
  /** Takes a waiting task out of the queue, or asks its cluster to stop it. */
  readonly cancel: (id: string) => Promise<CancelAnswer>;
  /**
   * Takes a task's cached result out of the cache; reading it then throws {@link ResultExpiredError}, and the record stays.
   * Resolves to whether there was one. Counterpart in Django Q2: `delete_cached`.
   */
  readonly deleteCached: (id: string) => Promise<boolean>;
  /** How many tasks wait and are not held by a cluster. */
  readonly queueSize: (queue?: string) => Promise<number>;
  /**
   * Opens a batch: a group whose size is known, and which calls tasks when it is complete. Tasks join it by the option `batch`,
   * from any process. Each counts once, however often it is delivered, and what is called at the end is called once.
   *
   * @param name - The label of the members, at most 100 characters: `resultGroup` and the like take it.
   * @throws {FlowError} from `asyncTask` and the like, for one task more than `size`, and for a batch that has ended.
   * @example
   * const batch = await q.batch("nightly", { size: reviews.length, onComplete: sendSummary });
   * for (const review of reviews) await asyncTask(ref(moderateReview, { batch }), review);
   */
  readonly batch: (name: string, options: BatchOptions) => Promise<Batch>;
  /**
   * The elements of an iterable in the order of the input, each as soon as it and all before it have ended, however many there
   * are. A failed element has its error instead of a result.
   *
   * @example
   * for await (const { index, success, result, error } of q.results(it)) …
   */
  readonly results: <R = unknown>(
    id: TaskId<R[]> | string,
    options?: { signal?: AbortSignal | undefined },
  ) => AsyncIterable<IterElement<R>>;
  /** Where a chain, an iterable or a batch stands; `undefined` when nobody knows it, or when it is a task. */
  readonly flow: (id: string) => Promise<FlowStatus | undefined>;
  /**
   * Runs a chain again from the link on at which it has failed, was cancelled or expired, with the results of the links before. The
   * failed links get new ids, so that their attempts stay on record. Its `onComplete` is called once more at the next end.
   *
   * @throws {FlowError} when there is nothing to resume.
   */
  readonly resume: (chain: string) => Promise<void>;
  /**
   * The results of a group's successes, newest finished first; `undefined` when `count` was not reached in time. Of a chain, by
   * its id, in the order of the links, as soon as the chain has ended or `count` links have.
   */
  readonly resultGroup: {
    <L extends readonly unknown[]>(chain: ChainId<L>, options?: GroupOptions): Promise<Partial<L> | undefined>;
    <R = unknown>(group: string, options?: GroupOptions): Promise<ResultOf<R>[] | undefined>;
  };
  /** The records of a group, newest finished first; of a chain in the order of its links. `failures: false` leaves the failed ones out. */
  readonly fetchGroup: <R = unknown>(group: string, options?: GroupOptions) => Promise<FetchedTask<R>[] | undefined>;
  /** How many members have finished; `failures: true`: how many have failed. */
  readonly countGroup: (
    group: string,
    options?: { failures?: boolean | undefined; cached?: boolean | undefined },
  ) => Promise<number>;
  /**
   * Takes the label off, or with `tasks: true` deletes the members. Resolves to how many. With `cached: true` deletes the members
   * and what the cache has of them.
   */
  readonly deleteGroup: (
    group: string,
    options?: { tasks?: boolean | undefined; cached?: boolean | undefined },
  ) => Promise<number>;
  /**
   * Stores a schedule: a rule that creates a task at each of its slots. Any cluster fires it, none twice.
   *
   * @throws {ScheduleError} that names the field at fault; also when the name is taken, unless `upsert` is true.
   * @example
   * await schedule(nightlyCleanup, { type: "CRON", cron: "0 22 * * 1-5", timeZone: "Europe/Moscow", name: "cleanup", args: [7] });
   */
  readonly schedule: ScheduleVerb;
  /** Schedules that are there: list, change, pause, preview, and declare them in code. */
  readonly schedules: ScheduleVerbs;
  /** The clusters that are alive. Counterpart in Django Q2: `Stat.get_all()`. */
  readonly clusters: () => Promise<ClusterStatus[]>;
  /**
   * One of them by its `clusterId`; for one that nobody hears of, a placeholder whose `status` is `"Stopped"`.
   * Counterpart in Django Q2: `Stat.get`.
   */
  readonly cluster: (id: string) => Promise<ClusterStatus>;
  /** Loads the modules of `tasks` into this process, so that plain functions are found by identity. */
  readonly loadTasks: () => Promise<string[]>;
  /** Ends waits and closes the connection. What was enqueued stays. */
  readonly close: () => Promise<void>;
}

export type { Fn };
