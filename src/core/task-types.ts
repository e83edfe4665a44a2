/** Milliseconds, or a number with a unit: `"250ms"`, `"30s"`, `"1.5m"`, `"2h"`, `"7d"`, `"1w"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

/** Any function. `never[]`, so that every parameter list fits. */
export type Fn = (...args: never[]) => unknown;

/** Add `"core.tasks.resize": typeof import("./core/tasks.js").resize` to type tasks by name (`qluster types` writes it). */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- filled by applications
export interface TaskNames {}

/** A task's name. Any string, until `TaskNames` has entries: then only those. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- `TaskNames` is empty here only
export type TaskName = [keyof TaskNames] extends [never] ? string : keyof TaskNames & string;
export type Named<N> = N extends keyof TaskNames ? TaskNames[N] : unknown;

/** Exists in types only: what a value remembers of its task. */
export declare const brand: unique symbol;

/** What `task()` makes: call it like the function, or hand it to a verb. */
export type Task<F extends Fn> = F & { readonly taskName: string; with(options: TaskOptions<F>): Task<F> };

/** A task whose `input` converts: `Input` goes in at the verb, the function gets what the schema makes of it. */
export type CheckedTask<F extends Fn, Input> = F & {
  readonly taskName: string;
  readonly [brand]: { readonly input: Input };
  with(options: TaskOptions<F>): CheckedTask<F, Input>;
};

/** What `ref()` makes: a task, function or name with options. */
export interface TaskRef<T> {
  readonly taskName: string;
  readonly [brand]: { readonly target: T };
  with(options: TaskOptions<T>): TaskRef<T>;
}

/** What a verb takes: a task, a plain function that `tasks` loads, a `ref`, or a name. */
// oxlint-disable-next-line typescript/no-explicit-any -- a ref of whatever target
export type Target = Fn | TaskRef<any> | string;

/** A target as a verb's parameter: with a type argument, a name will do too. */
export type KnownTask<T> = (T extends string ? (T extends TaskName ? T : TaskName) : T) | TaskName;

type Args<F> = F extends (...args: infer A) => unknown ? A : readonly unknown[];

/** The arguments a target is enqueued with (before `input` converts them). */
export type ArgsOf<T> =
  T extends TaskRef<infer F>
    ? ArgsOf<F>
    : T extends { readonly [brand]: { readonly input: infer I extends readonly unknown[] } }
      ? I
      : T extends Fn
        ? Args<T>
        : unknown extends Named<T>
          ? unknown[]
          : ArgsOf<Named<T>>;

/** The result: of `typeof aTask`, of a name, or the type itself. `void` reads back as `undefined`. */
export type ResultOf<T> =
  T extends TaskRef<infer F> ? TargetResult<F> : T extends (...args: never[]) => infer R ? Plain<Awaited<R>> : Plain<T>;
export type TargetResult<T> = T extends string
  ? unknown extends Named<T>
    ? unknown
    : ResultOf<Named<T>>
  : ResultOf<T>;
type Plain<R> = unknown extends R ? R : void extends R ? Exclude<R, void> | undefined : R;

/** The id of one request. A string that remembers the result's type. */
export type TaskId<T = unknown> = string & { readonly [brand]: { readonly result: ResultOf<T> } };

/** The finished task, as hooks and `fetch` see it. `T`: `typeof` a task, or the result's type. */
export type FinishedTask<T = unknown> = SucceededTask<T> | FailedTask;

export interface SucceededTask<T> extends TaskRecord {
  readonly success: true;
  readonly result: ResultOf<T>;
  readonly error: undefined;
}

export interface FailedTask extends TaskRecord {
  readonly success: false;
  readonly result: undefined;
  readonly error: TaskError;
}

/** What every finished task has. Counterpart in Django Q2: `django_q.models.Task`. */
export interface TaskRecord {
  readonly id: string;
  /** The name given with `taskName`, or four words made from the id. */
  readonly name: string;
  /** The registered name of the function. */
  readonly func: string;
  readonly args: readonly unknown[];
  readonly group: string | undefined;
  readonly queue: string;
  /** How many attempts counted. */
  readonly attempts: number;
  readonly queuedAt: Date;
  /** When the last attempt started. A task that never started has the time of its end. */
  readonly startedAt: Date;
  readonly stoppedAt: Date;
}

export interface TaskError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** How long to wait before attempt `n + 1`: `min(max, base * factor ** (n - 1))`, spread by `jitter`. */
export interface Backoff {
  /** Default `"1s"`. */
  base?: Duration | undefined;
  /** Default 2. 1 waits equally long each time. */
  factor?: number | undefined;
  /** Default `"10m"`. */
  max?: Duration | undefined;
  /** The share of the wait that is random, from 0 to 1. Default 0.5. */
  jitter?: number | undefined;
}

/** Only one at a time. Scope: project and task name, over all queues. */
export interface Unique {
  key: string;
  /** `"finished"` (default): held until the final outcome. `"queued"`: until the first start. */
  while?: "finished" | "queued" | undefined;
  /** Held at most so long. */
  for?: Duration | undefined;
}

/** A batch that was opened. Plain data: it may be stored, or handed to a task that enqueues the rest. */
export interface Batch {
  readonly id: string;
  /** The label of its members. */
  readonly name: string;
  /** The task that is called with each finished member. */
  readonly each: string | null;
}

/** What may be said of one request, or of all requests of a task. Counterpart in Django Q2: the options of `async_task`. */
// oxlint-disable-next-line typescript/no-explicit-any -- without a target, a hook of any task fits
export interface TaskOptions<T = any> {
  /** A label to collect results under. At most 100 characters. */
  group?: string | undefined;
  /** The batch that it counts for: what `q.batch` resolved to. Its label is the batch's name then. */
  batch?: Batch | undefined;
  /** Called with the finished task, as a task of its own. */
  hook?: Hook<T> | undefined;
  /** `"final"` (default): once, at the final outcome. `"attempt"`: after each attempt, as Django Q2 does. */
  hookOn?: "final" | "attempt" | undefined;
  /** The queue it waits in. Default: the cluster's name. */
  queue?: string | undefined;
  /** A name for this request, at most 100 characters. */
  taskName?: string | undefined;
  /** The cache keeps the result for so long, or without limit (`true`); the record of the task is kept without it. */
  cached?: Duration | boolean | undefined;
  /** Starts no sooner than so long from now. */
  delay?: Duration | undefined;
  /** Starts no sooner than then. */
  runAt?: Date | undefined;
  /** Never starts later than so long from now. */
  expires?: Duration | undefined;
  /** The longest one attempt may take; `null` for no limit. Default `"5m"`. */
  timeout?: Duration | null | undefined;
  /** How often it is tried; 0 for ever. Default 3. */
  attempts?: number | undefined;
  backoff?: Backoff | undefined;
  /** `true`: a failed attempt is final, like `attempts: 1`. */
  ackFailure?: boolean | undefined;
  /** From -100 to 100; higher first. Default 0. */
  priority?: number | undefined;
  unique?: string | Unique | undefined;
  /** `false`: a success leaves no record. */
  save?: boolean | undefined;
  /** Runs it in this process, now. */
  sync?: boolean | undefined;
}

/** A task's hook: a name, a task, or a function that `tasks` loads. */
export type Hook<T> =
  | TaskName
  // oxlint-disable-next-line typescript/no-explicit-any -- a ref of whatever target
  | TaskRef<any>
  | ((finished: FinishedTask<HookResult<TargetResult<T>>>) => unknown);

/** Of a task without a known result, or that never returns, any hook may be told. */
// oxlint-disable-next-line typescript/no-explicit-any -- an untyped target gives an untyped result
type HookResult<R> = unknown extends R ? any : [R] extends [never] ? any : R;

/** The running task, from inside. */
export interface CurrentTask {
  readonly id: TaskId;
  readonly name: string;
  readonly func: string;
  /** 1 for the first attempt that counts. */
  readonly attempt: number;
  readonly group: string | undefined;
  /** When it was due, for a task that was delayed or scheduled. */
  readonly scheduledFor: Date | undefined;
  /** Aborts at the time-out, on cancel and on stop. */
  readonly signal: AbortSignal;
  /** Says how far the task is. A `done` that is not finite is ignored, such a `total` left out. Notes end after 10,000 characters. */
  readonly progress: (done: number, total?: number, note?: string) => void;
  /** Adds a line to the task's log, cut at 10,000 characters. */
  readonly log: (text: string) => void;
  /**
   * Ends the task as a success in the application's own transaction: its record, the result, the hook and the
   * acknowledgement commit with what the task has written, or not at all. So its effects happen exactly once.
   *
   * Call it last in the transaction. Once that has committed, the task is done, whatever becomes of this process; what the
   * function returns or throws afterwards is logged only. When it is rolled back, the function ends as if nothing had been
   * called. On SQLite keep the transaction short: it holds the only write lock.
   *
   * @param tx - As for `q.in`, on the database that the cluster's tasks are in. On a synchronous connection the write is
   *   done when the call returns, and what is refused is thrown at once.
   * @param value - The result, as the function would return it.
   * @throws {LeaseLostError} when another cluster may run the task by now: let it roll the transaction back.
   * @throws {TransactionError} in sync mode, in a transaction on another database, and called twice in one transaction.
   */
  readonly completeIn: (tx: object, value?: unknown) => Promise<void>;
}

/** A task on its way out; `preEnqueue` handlers may change what is not readonly. */
export interface OutgoingTask {
  readonly id: string;
  name: string;
  readonly func: string;
  args: unknown[];
  options: TaskOptions;
}

/** Calls its handlers, in the order in which they were connected. Handlers may be async. */
export interface Signal<A extends readonly unknown[]> {
  /** @returns A function that disconnects the handler again. */
  readonly connect: (handler: (...args: A) => unknown) => () => void;
  /** `true` when the handler was connected. */
  readonly disconnect: (handler: (...args: A) => unknown) => boolean;
}

/** Receives every failed attempt, in the worker. Counterpart in Django Q2: `error_reporter`. */
export interface ErrorReporter {
  /** @param task - `undefined` members where the message could not be opened. */
  report(error: Error, task: { readonly id: string; readonly func: string; readonly attempt: number }): unknown;
}
