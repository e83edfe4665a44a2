import type { ScheduleVerb, ScheduleVerbs } from "./schedule-types.js";
import type { StandardSchema, InferInput, InferOutput } from "../core/standard-schema.js";
import type {
  ArgsOf,
  brand,
  CheckedTask,
  Duration,
  FinishedTask,
  Fn,
  KnownTask,
  ResultOf,
  Target,
  TargetResult,
  Task,
  TaskId,
  TaskOptions,
  TaskRef,
} from "../core/task-types.js";
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

/** One request as a value, for {@link EnqueueVerbs.asyncTasks}. */
export interface Link<R = unknown> {
  readonly [brand]: { readonly result: R };
}

/** The type of {@link link}. */
export type DefineLink = <T extends Target>(target: KnownTask<T>, ...args: ArgsOf<T>) => Link<TargetResult<T>>;

type LinkResult<L> = L extends Link<infer R> ? R : never;

export interface ReadOptions {
  /** How long to wait for the task to finish. Default 0: one look. `Infinity`: until it has. */
  wait?: Duration | undefined;
  /** Ends the wait early: the call rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface GroupOptions extends ReadOptions {
  /** Wait until at least so many members have finished, failures included. Without `wait`: as long as it takes. */
  count?: number | undefined;
  /** `resultGroup`: take the members that failed into the list too, as their errors. Default false. */
  failures?: boolean | undefined;
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
  ) => Promise<{ -readonly [K in keyof L]: TaskId<LinkResult<L[K]>> }>;
}

/** How to write on a transaction. */
export interface TransactionOptions {
  /**
   * How long to wait for a `unique` key that another transaction, still open, may hold. Default `"2s"`. Then the call
   * rejects with {@link StoreUnavailableError}, and the transaction is as healthy as before.
   */
  lockTimeout?: Duration | undefined;
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
export interface Qluster extends EnqueueVerbs, AsyncDisposable {
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
  readonly in: (tx: object, options?: TransactionOptions) => EnqueueVerbs;
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
   */
  readonly result: <R = unknown>(id: TaskId<R> | string, options?: ReadOptions) => Promise<ResultOf<R> | undefined>;
  /** The whole record, or `undefined` when the task has not finished in time. */
  readonly fetch: <R = unknown>(id: TaskId<R> | string, options?: ReadOptions) => Promise<FinishedTask<R> | undefined>;
  /** Where a task stands; `undefined` when nobody knows it. */
  readonly status: (id: string) => Promise<TaskStatus | undefined>;
  /** Every attempt, in the order in which they started. */
  readonly attempts: (id: string) => Promise<AttemptRecord[]>;
  /** Takes a waiting task out of the queue, or asks its cluster to stop it. */
  readonly cancel: (id: string) => Promise<CancelAnswer>;
  /** How many tasks wait and are not held by a cluster. */
  readonly queueSize: (queue?: string) => Promise<number>;
  /** The results of a group's successes, newest finished first; `undefined` when `count` was not reached in time. */
  readonly resultGroup: <R = unknown>(group: string, options?: GroupOptions) => Promise<ResultOf<R>[] | undefined>;
  /** The records of a group, newest finished first. `failures: false` leaves the failed ones out. */
  readonly fetchGroup: <R = unknown>(group: string, options?: GroupOptions) => Promise<FinishedTask<R>[] | undefined>;
  /** How many members have finished; `failures: true`: how many have failed. */
  readonly countGroup: (group: string, options?: { failures?: boolean | undefined }) => Promise<number>;
  /** Takes the label off, or with `tasks: true` deletes the members. Resolves to how many. */
  readonly deleteGroup: (group: string, options?: { tasks?: boolean | undefined }) => Promise<number>;
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
  /** Loads the modules of `tasks` into this process, so that plain functions are found by identity. */
  readonly loadTasks: () => Promise<string[]>;
  /** Ends waits and closes the connection. What was enqueued stays. */
  readonly close: () => Promise<void>;
}

export type { Fn };
