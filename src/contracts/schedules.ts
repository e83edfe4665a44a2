import type { ErrorRecord, NewTask, TaskState } from "./store.js";

/**
 * Keeps schedules: rules that create tasks, each with its next slot and its runs.
 *
 * Rules, zones and sealed targets are opaque here: whoever fires a schedule works out what to write, and the store writes
 * it under the condition that nobody was faster. Every write to a schedule raises its `revision`; each change names the
 * revision it was made for. So two clusters, an edit while a slot is fired, or a crash cannot make two tasks of one slot.
 *
 * Counterpart in Django Q2: `django_q.models.Schedule` and `django_q.scheduler`.
 */
export interface Schedules {
  /**
   * Stores a new schedule. A name is unique in the project, by a constraint of the store and not by a look before the
   * write; schedules without a name may repeat. A known id changes nothing, and counts as created.
   *
   * @returns `created: false` with the id of the schedule that has the name.
   */
  insert(schedule: NewSchedule): Promise<InsertedSchedule>;

  /**
   * Changes schedules: fires slots, pauses, edits, removes. Each change is one conditional write of its own, which holds
   * everything: the schedule, its new runs, and its new tasks (submitted as by {@link Store.submit}); all of it happens,
   * or nothing. Where broker and store are apart, the tasks are stored as unsent in that same write. All changes of a
   * call may share a transaction; a change that is refused must not spoil the others. One that another writer holds
   * at this moment may be answered `"stale"` instead of waiting.
   *
   * A task whose id is known already is not stored again. Of one that is not stored because its unique key is taken, the
   * run is kept as `"skipped"`, without a task.
   */
  change(changes: readonly ScheduleChange[]): Promise<ChangeAnswer[]>;

  /** By id, else by name. */
  find(idOrName: string): Promise<StoredSchedule | undefined>;

  /** Ascending by id, which is the order in which they were created. */
  list(query: ScheduleQuery): Promise<StoredSchedule[]>;

  /**
   * Schedules whose `dueAt` has come by the store's clock, the longest due first, and when to look again. Costs what is
   * due, however many schedules there are.
   */
  due(query: DueQuery): Promise<DueSchedules>;

  /**
   * Newest first. A run can be read as long as its schedule lives, also when its task has been removed since: the store
   * keeps at least the newest 1,000 runs of a schedule with their outcome.
   */
  runs(id: string, query: RunQuery): Promise<StoredRun[]>;

  /** Each number capped at `cap` + 1. */
  counts(cap: number): Promise<ScheduleCounts>;

  /**
   * Calls `changed` soon after a schedule may have changed, in this process or another: a hint, never a promise. May
   * call more often. Call the result to stop.
   */
  watch(changed: () => void): () => void;
}

/** `created: false`: `id` is the schedule that has the name. */
export interface InsertedSchedule {
  readonly id: string;
  readonly created: boolean;
}

export interface NewSchedule extends ScheduleDefinition, ScheduleProgress {
  readonly id: string;
}

/** What somebody has asked for. */
export interface ScheduleDefinition {
  /** Unique in the project. At most 100 characters. */
  readonly name: string | null;
  /** Fired by clusters of this name only; `null`: by clusters that have the project's name. */
  readonly cluster: string | null;
  /** The task's name, for people and lists. At most 256 characters. */
  readonly func: string;
  /** When it is due, as JSON. */
  readonly rule: string;
  /** What a slot becomes, as JSON with sealed parts. */
  readonly target: string;
  /** The set of declarations that it belongs to, or `null` when it was made by hand. */
  readonly declaredBy: string | null;
  /** Differs when what was asked for differs. */
  readonly fingerprint: string;
}

/** How far it is. Times in milliseconds since 1970. */
export interface ScheduleProgress {
  /** The next slot; `null` when there is none. */
  readonly nextRun: number | null;
  /** When somebody has to look at it; `null`: never. It is due once this is not later than the store's clock. */
  readonly dueAt: number | null;
  /** How many runs are left; -1: no limit. */
  readonly repeats: number;
  readonly paused: boolean;
  /** The last task that it made. */
  readonly lastTask: string | null;
  /** Why it could not be fired. */
  readonly fault: ScheduleFault | null;
}

export interface ScheduleFault {
  readonly error: ErrorRecord;
  /** How often in a row. */
  readonly count: number;
  /** Not tried again before. */
  readonly retryAt: number;
}

export interface StoredSchedule extends NewSchedule {
  /** Raised by every write to the schedule. */
  readonly revision: number;
  /** The number of its newest run; 0 before the first. */
  readonly runCount: number;
  readonly createdAt: number;
}

export interface ScheduleChange {
  readonly id: string;
  /** The change is refused when the schedule has another revision, or is gone. */
  readonly revision: number;
  /** Absent: stays as it is. */
  readonly definition?: ScheduleDefinition | undefined;
  /** `null`: the schedule is removed with its runs; its tasks stay. */
  readonly progress: ScheduleProgress | null;
  /** Numbered on from `runCount`. */
  readonly runs: readonly NewRun[];
  readonly tasks: readonly NewTask[];
}

/** `"stale"`: somebody was faster, or it is gone. `"taken"`: another schedule has the new name. Nothing was stored then. */
export type ChangeAnswer = "done" | "stale" | "taken";

/** One slot, and what became of it. */
export interface NewRun {
  readonly number: number;
  readonly slot: number;
  /** When it was fired, or passed over. */
  readonly at: number;
  /** `null` when it was passed over. Also the id of the chain, iterable or batch that the task opens, if it is one that does. */
  readonly task: string | null;
  /** Why it has no task; `null` when it has one. */
  readonly passedOver: PassedOver | null;
  /** Asked for out of turn. */
  readonly manual: boolean;
}

/** `"missed"`: too late. `"overlap"`: an earlier task had not finished. `"skipped"`: somebody said so, or its unique key was taken. */
export type PassedOver = "missed" | "overlap" | "skipped";

export interface StoredRun extends NewRun {
  /**
   * The state of its task, or of the flow with the same id once that is open. It stays when retention removes the finished task, and when a success leaves no record; of a
   * task that was removed unfinished, as by a purge, nobody can tell.
   */
  readonly state: TaskState | PassedOver | "unknown";
}

export interface ScheduleQuery {
  /** Only ids after this one. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** Only what this set of declarations has made. */
  readonly declaredBy?: string | undefined;
}

export interface DueQuery {
  /** As {@link ScheduleDefinition.cluster}; `null` stands for the schedules without one. */
  readonly clusters: readonly (string | null)[];
  readonly limit: number;
}

export interface DueSchedules {
  /** The store's clock, in milliseconds since 1970. */
  readonly now: number;
  readonly schedules: readonly StoredSchedule[];
  /** Until the next one is due that is not among `schedules`, in milliseconds: 0 when more are due; `null` when none ever is. */
  readonly nextInMs: number | null;
}

export interface RunQuery {
  readonly limit: number;
  /** Only runs with a lower number. */
  readonly before?: number | undefined;
}

export interface ScheduleCounts {
  readonly all: number;
  readonly paused: number;
  readonly broken: number;
  /** When the next one is due, in milliseconds since 1970. */
  readonly nextRun: number | null;
}
