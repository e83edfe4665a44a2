import type { FlowKind } from "../contracts/flows.js";
import type { PassedOver } from "../contracts/schedules.js";
import type { TaskState } from "../contracts/store.js";
import type { CatchUp, Overlap, ScheduleType, typeCodes } from "../core/schedule/rule.js";
import type { ArgsOf, brand, Duration, KnownTask, Target, TaskOptions } from "../core/task-types.js";
import type { FlowTarget } from "./flow-target.js";

/** What may be said of the tasks of a schedule. */
type ScheduledTaskOptions = Omit<TaskOptions, "runAt" | "sync" | "cached" | "batch">;

/** What every schedule may have, with the options of its tasks. Counterpart in Django Q2: the arguments of `schedule`. */
export interface RuleOptions extends ScheduledTaskOptions {
  /** Unique in the project. At most 100 characters. */
  name?: string | undefined;
  /** The first slot. Default: now. With `at` or `cron`: no slot before it. */
  nextRun?: Date | undefined;
  /** How often it runs; -1 (default) for ever, 0 never. ONCE with -1 is removed after its run. */
  repeats?: number | undefined;
  /** An IANA name. Default: the configuration's `timeZone`. */
  timeZone?: string | undefined;
  /** No slot is later. */
  until?: Date | undefined;
  /** Tasks start up to so much later than their slot, to spread the load. Default: none. */
  jitter?: Duration | undefined;
  /** What becomes of missed slots. Default: the configuration's `catchUp`. */
  catchUp?: CatchUp | undefined;
  /** With `catchUp: "all"`: so many missed slots at most, the newest. Default 1,000. */
  catchUpLimit?: number | undefined;
  /** What becomes of a slot while the task before it has not finished. Default `"allow"`. */
  overlap?: Overlap | undefined;
  /** Only clusters of this name fire it, and its tasks wait in their queue. Default: the project's default cluster. */
  cluster?: string | undefined;
  /** A last argument, as an object. */
  kwargs?: Readonly<Record<string, unknown>> | undefined;
  /** Each task gets its slot under this name in its last argument, as ISO 8601 text. */
  intendedDateKwarg?: string | undefined;
  /** A schedule that has the name already is changed into this one. Default false. */
  upsert?: boolean | undefined;
}

type Codes = typeof typeCodes;
type WithCode<T extends keyof Codes> = T | Codes[T];

/** By a cron expression: five fields, or six with the seconds last. */
export interface CronRule extends RuleOptions {
  type: WithCode<"CRON">;
  cron: string;
}

/** Every so many minutes. Default 1. */
export interface MinutesRule extends RuleOptions {
  type: WithCode<"MINUTES">;
  minutes?: number | undefined;
}

/** By elapsed time. A day is 24 hours here; `type: "DAILY"` keeps the time on the clock. */
export interface EveryRule extends RuleOptions {
  type?: "EVERY" | undefined;
  every: Duration;
}

/** By the calendar: the same time on the clock each time. */
export interface CalendarRule extends RuleOptions {
  type: WithCode<"DAILY" | "WEEKLY" | "BIWEEKLY" | "MONTHLY" | "BIMONTHLY" | "QUARTERLY" | "YEARLY">;
  /** The time of the day: `"03:00"`. Default: that of `nextRun`. */
  at?: string | undefined;
}

/** Once, or every hour. */
export interface PlainRule extends RuleOptions {
  type?: WithCode<"ONCE" | "HOURLY"> | undefined;
}

export type ScheduleRule = CronRule | MinutesRule | EveryRule | CalendarRule | PlainRule;

/** The arguments of the tasks; required where the task requires any. */
export type WithArgs<A extends readonly unknown[]> =
  readonly [] extends Readonly<A> ? { args?: Readonly<A> | undefined } : { args: Readonly<A> };

/** Parts of a schedule that can be cleared as well as changed. */
type ChangeableOptions = Omit<RuleOptions, "upsert" | "nextRun"> & {
  minutes?: number | undefined;
  args?: readonly unknown[] | undefined;
};

/**
 * What {@link ScheduleVerbs.update} may change; what is left out, or `undefined`, stays. `null` clears an option: it is as if it
 * had never been given. Of `timeout`, `null` is a value: none.
 */
export interface ScheduleChanges extends Clearing<ChangeableOptions> {
  type?: ScheduleType | Codes[keyof Codes] | undefined;
  /** The next slot. */
  nextRun?: Date | undefined;
  every?: Duration | undefined;
  cron?: string | undefined;
  at?: string | undefined;
}

type Clearing<T> = { [K in keyof T]: T[K] | null };

/** A schedule as it stands. As a text it is the name of its task. */
export interface Schedule {
  readonly id: string;
  readonly name: string | undefined;
  /** What each slot becomes. */
  readonly kind: TaskKindOfSlot;
  /** The task's registered name; of an iterable that of its elements. Of a chain or batch the word itself. */
  readonly func: string;
  /** Of a chain, an iterable or a batch: for each of its tasks an array. */
  readonly args: readonly unknown[];
  /** The names of its tasks in their order, 20 at most. Of an iterable one for all. */
  readonly funcs: readonly string[];
  /** How many tasks each slot becomes. */
  readonly size: number;
  readonly type: ScheduleType;
  readonly minutes: number | undefined;
  /** In milliseconds. */
  readonly every: number | undefined;
  readonly cron: string | undefined;
  readonly timeZone: string;
  readonly until: Date | undefined;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;
  /** The rule in one plain sentence. */
  readonly description: string;
  /** The next slot; `undefined` when there is none. */
  readonly nextRun: Date | undefined;
  /** How many runs are left; -1 for no limit. */
  readonly repeats: number;
  readonly paused: boolean;
  /** The cluster that fires it; `undefined`: the project's default cluster. */
  readonly cluster: string | undefined;
  /** Where its tasks wait. */
  readonly queue: string;
  readonly group: string | undefined;
  readonly hook: string | undefined;
  /** Id of the last task it made. */
  readonly lastTask: string | undefined;
  /** Whether it was declared with `sync`, and not made by hand. */
  readonly isDeclared: boolean;
  /** Why it could not be fired the last time; when it is tried again. */
  readonly fault: { readonly message: string; readonly count: number; readonly retryAt: Date } | undefined;
  readonly createdAt: Date;
  /** Whether its last task succeeded; `undefined` when it has not finished, or there is none. */
  readonly success: () => Promise<boolean | undefined>;
  readonly toString: () => string;
}

/** What a slot of a schedule becomes: a task, or what has its id and is opened by {@link Qluster.flow}. */
type TaskKindOfSlot = "task" | FlowKind;

/** One slot of a schedule, and what became of it. */
export interface ScheduleRun {
  /** 1 for the first run. */
  readonly number: number;
  readonly slot: Date;
  /** When it was fired or passed over. */
  readonly at: Date;
  /** The task, or the chain, iterable or batch: {@link Qluster.flow} opens that. `undefined` when it was passed over. */
  readonly taskId: string | undefined;
  /** Also when retention has removed the task. `"unknown"`: the task was removed before it had finished. */
  readonly state: TaskState | PassedOver | "unknown";
  /** Made by `runNow`. */
  readonly manual: boolean;
}

export interface PreviewedRun {
  readonly slot: Date;
  /** What a change of the clocks does to this slot. */
  readonly note: string | undefined;
}

/** What `sync` did, by names. */
export interface SyncReport {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
}

/** One schedule as a value, for `sync`; made by {@link scheduled}. */
export interface Declared {
  readonly [brand]: { readonly declared: true };
}

/** Its tasks have arguments of their own. */
type ArgsOfTarget<T> = T extends FlowTarget ? { args?: undefined; kwargs?: undefined } : WithArgs<ArgsOf<T>>;

/** The type of {@link scheduled}. */
export type DefineScheduled = <T extends Target | FlowTarget>(
  target: KnownTask<T>,
  rule: ScheduleRule & ArgsOfTarget<T> & { name: string },
) => Declared;

/** The verb that makes a schedule. */
export type ScheduleVerb = <T extends Target | FlowTarget>(
  target: KnownTask<T>,
  rule: ScheduleRule & ArgsOfTarget<T>,
) => Promise<Schedule>;

/** What can be done with schedules. Each takes an id or a name. */
export interface ScheduleVerbs {
  readonly get: (idOrName: string) => Promise<Schedule | undefined>;
  /** In the order in which they were made; `after` goes on behind that id. Default limit 100. */
  readonly list: (options?: { after?: string | undefined; limit?: number | undefined }) => Promise<Schedule[]>;
  /** Changes parts of a schedule, or clears them with `null`. A change of the rule or zone looks for the next slot anew. */
  readonly update: (idOrName: string, changes: ScheduleChanges) => Promise<Schedule>;
  /** `false` when there is none. Its tasks stay. */
  readonly remove: (idOrName: string) => Promise<boolean>;
  /** It makes no tasks until it is resumed. What is left of `repeats` stays. */
  readonly pause: (idOrName: string) => Promise<Schedule>;
  /** Goes on with the first slot after now: what it missed while it was paused is not made up for. */
  readonly resume: (idOrName: string) => Promise<Schedule>;
  /** Makes one task at once, out of turn. Resolves to its id, which is also that of the chain, iterable or batch it opens. */
  readonly runNow: (idOrName: string) => Promise<string>;
  /** Passes over the next slot. */
  readonly skipNext: (idOrName: string) => Promise<Schedule>;
  /** The next slots of a schedule, or of a rule that nobody has stored. Default: 5. */
  readonly preview: (
    schedule: string | ScheduleRule,
    options?: { count?: number | undefined; after?: Date | undefined },
  ) => Promise<PreviewedRun[]>;
  /** The runs of a schedule, newest first; `before` goes on below that number. Default limit 20. */
  readonly runs: (
    idOrName: string,
    options?: { limit?: number | undefined; before?: number | undefined },
  ) => Promise<ScheduleRun[]>;
  /**
   * Makes the stored schedules what the code declares, at every start: adds, changes, and removes what the same set
   * declared before and declares no more. Schedules made by hand are left alone; one that has a declared name becomes a
   * declared one.
   *
   * @param options.set - Programs that declare schedules apart from one another need a set each. Default `"code"`.
   */
  readonly sync: (schedules: readonly Declared[], options?: { set?: string | undefined }) => Promise<SyncReport>;
}
