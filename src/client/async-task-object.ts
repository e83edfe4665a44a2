import type {
  ArgsOf,
  Duration,
  Hook,
  KnownTask,
  ResultOf,
  Target,
  TargetResult,
  TaskId,
  TaskOptions,
} from "../core/task-types.js";
import { ref } from "./task.js";
import type { FetchedTask, GroupOptions, Qluster } from "./types.js";

/** The verbs that a task object calls. */
type Verbs = Pick<Qluster, "asyncTask" | "result" | "fetch" | "resultGroup" | "fetchGroup">;
// Inside, a target and its arguments are values that the verbs check.
type LooseEnqueue = (target: unknown, ...args: readonly unknown[]) => Promise<string>;

/**
 * One request as an object: change it, run it, read it, run it again. Whatever is changed after a run, target, arguments or an
 * option, makes the object unread until the next one.
 *
 * Counterpart in Django Q2: `django_q.tasks.AsyncTask`.
 *
 * @example
 * const job = new AsyncTask(q, resize, "a1", 300);
 * job.group = "thumbnails";
 * await job.run();
 * await job.result("5s");
 */
export class AsyncTask<T extends Target = string> {
  readonly #q: Verbs;
  #target: unknown;
  #args: readonly unknown[];
  #options: TaskOptions = {};
  #id = "";
  #started = false;

  constructor(q: Verbs, target: KnownTask<T>, ...args: ArgsOf<T>) {
    this.#q = q;
    this.#target = target;
    this.#args = args;
  }

  /** Empty before the first run. */
  get id(): string {
    return this.#id;
  }

  /** It has run as it is now. */
  get started(): boolean {
    return this.#started;
  }

  get target(): KnownTask<T> {
    return this.#target as KnownTask<T>;
  }

  set target(target: KnownTask<T>) {
    this.#target = target;
    this.#started = false;
  }

  get args(): ArgsOf<T> {
    return this.#args as ArgsOf<T>;
  }

  set args(args: ArgsOf<T>) {
    this.#args = args;
    this.#started = false;
  }

  /** These are the task's own options where they are `undefined`, and then the configuration's. */
  get sync(): boolean | undefined {
    return this.#options.sync;
  }

  set sync(sync: boolean | undefined) {
    this.#change({ sync });
  }

  get save(): boolean | undefined {
    return this.#options.save;
  }

  set save(save: boolean | undefined) {
    this.#change({ save });
  }

  get hook(): Hook<T> | undefined {
    return this.#options.hook as Hook<T> | undefined;
  }

  set hook(hook: Hook<T> | undefined) {
    this.#change({ hook });
  }

  get group(): string | undefined {
    return this.#options.group;
  }

  set group(group: string | undefined) {
    this.#change({ group });
  }

  get cached(): Duration | boolean | undefined {
    return this.#options.cached;
  }

  set cached(cached: Duration | boolean | undefined) {
    this.#change({ cached });
  }

  /** Enqueues it, once more if it has run before. */
  async run(): Promise<TaskId<TargetResult<T>>> {
    const enqueue = this.#q.asyncTask as unknown as LooseEnqueue;
    this.#id = await enqueue(ref(this.#target as never, this.#options as never), ...this.#args);
    this.#started = true;
    return this.#id as TaskId<TargetResult<T>>;
  }

  /** `undefined` when it has not run as it is now, or has not finished in time. */
  async result(wait: Duration = 0): Promise<ResultOf<TargetResult<T>> | undefined> {
    return this.#started ? await this.#q.result<TargetResult<T>>(this.#id, { wait }) : undefined;
  }

  async fetch(wait: Duration = 0): Promise<FetchedTask<TargetResult<T>> | undefined> {
    return this.#started ? await this.#q.fetch<TargetResult<T>>(this.#id, { wait }) : undefined;
  }

  /** `undefined` without a group, too. */
  async resultGroup(options?: GroupOptions): Promise<unknown[] | undefined> {
    const { group } = this;
    return this.#started && group !== undefined ? await this.#q.resultGroup(group, options) : undefined;
  }

  async fetchGroup(options?: GroupOptions): Promise<FetchedTask[] | undefined> {
    const { group } = this;
    return this.#started && group !== undefined ? await this.#q.fetchGroup(group, options) : undefined;
  }

  #change(options: TaskOptions): void {
    this.#options = { ...this.#options, ...options };
    this.#started = false;
  }
}
