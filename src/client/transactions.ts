import { AsyncLocalStorage } from "node:async_hooks";
import type { Backend } from "../contracts/backend.js";
import type { NewTask, Submitted } from "../contracts/store.js";
import type { Executor } from "../contracts/transaction.js";
import type { InsertedSchedule } from "../contracts/schedules.js";
import { parseDuration } from "../core/duration.js";
import { OptionError, TransactionError } from "../errors.js";
import { recogniseTransaction } from "../transactions/recognise.js";
import { TransactionDesk } from "../transactions/transaction-desk.js";
import type { Connection } from "./connection.js";
import type { Prepared } from "./enqueuer.js";
import { checkPriorities, type Sender } from "./sender.js";
import type { ScheduleClient } from "./schedule-client.js";
import type { Schedule } from "./schedule-types.js";
import type { TransactionOptions } from "./types.js";

const defaultLockTimeoutMs = 2_000;

/** The verbs as values to check; their public types are those of `EnqueueVerbs`. */
export interface PlainVerbs {
  readonly send: (target: unknown, args: readonly unknown[]) => Promise<string>;
  readonly sendAll: (links: unknown) => Promise<string[]>;
}

/** The verbs of a transaction. */
export interface InsideVerbs extends PlainVerbs {
  readonly schedule: (target: unknown, rule: unknown) => Promise<Schedule>;
}

/** The code for schedules, which is loaded when somebody needs it. */
export interface Scheduling {
  readonly load: () => Promise<Pick<ScheduleClient, "prepare" | "ready">>;
  /** Once it was loaded. */
  readonly loaded: () => Pick<ScheduleClient, "prepare"> | undefined;
}

/** Enqueues on transactions of the application: `q.in`, `q.withTransaction`. */
export class Transactions {
  readonly #connection: Connection;
  readonly #sender: Sender;
  readonly #scheduling: Scheduling;
  readonly #desks = new WeakMap<Backend, TransactionDesk>();
  /** Made with the first ambient transaction, so that nobody else pays for it. */
  #ambient: AsyncLocalStorage<AmbientVerbs> | undefined;

  constructor(connection: Connection, sender: Sender, scheduling: Scheduling) {
    this.#connection = connection;
    this.#sender = sender;
    this.#scheduling = scheduling;
  }

  /** Opens the database, and reads what a synchronous connection cannot wait for. */
  async open(): Promise<void> {
    const backend = await this.#connection.backend();
    await backend.transactions?.ready();
    // Synchronous connections, all of them on SQLite, cannot wait for what a schedule takes.
    if (backend.transactions?.dialect === "sqlite") await (await this.#scheduling.load()).ready();
    this.#ready.add(backend);
  }

  readonly #ready = new WeakSet<Backend>();

  /** @throws {TransactionError} when `tx` is no transaction that is known here. */
  in(tx: unknown, options: TransactionOptions = {}): InsideVerbs {
    const executor = recogniseTransaction(tx);
    const lockTimeoutMs = lockTimeoutOf(options);
    const write = (prepared: Prepared[] | Promise<Prepared[]>) =>
      executor.synchronous
        ? this.#writeNow(executor, prepared, lockTimeoutMs)
        : this.#writeInTime(executor, prepared, lockTimeoutMs);
    return {
      send: (target, args) =>
        settled(executor, () => {
          const prepared = this.#sender.prepare(target, args);
          const list = prepared instanceof Promise ? prepared.then((one) => [one]) : [prepared];
          const ids = write(list);
          return ids instanceof Promise ? ids.then(([id]) => id!) : ids[0]!;
        }),
      sendAll: (links) => settled(executor, () => write(this.#sender.prepareAll(links))),
      schedule: (target, rule) =>
        settled(executor, () =>
          executor.synchronous
            ? this.#scheduleNow(executor, target, rule, lockTimeoutMs)
            : this.#scheduleInTime(executor, target, rule, lockTimeoutMs),
        ),
    };
  }

  #scheduleNow(executor: Executor, target: unknown, rule: unknown, lockTimeoutMs: number): Promise<Schedule> {
    const scheduling = this.#scheduling.loaded();
    if (scheduling === undefined) throw notOpened(executor);
    const prepared = scheduling.prepare(target, rule);
    if (prepared instanceof Promise) throw cannotWait(executor, prepared);
    this.#connection.check();
    const backend = this.#connection.opened;
    if (backend === undefined || !this.#ready.has(backend)) throw notOpened(executor);
    prepared.check(backend.store);
    const answer = this.#desk(backend, executor).insertSchedule(executor, prepared.schedule, lockTimeoutMs);
    // Refused at once, as everything is here.
    return prepared.written(answer as InsertedSchedule);
  }

  async #scheduleInTime(executor: Executor, target: unknown, rule: unknown, lockTimeoutMs: number): Promise<Schedule> {
    const prepared = await (await this.#scheduling.load()).prepare(target, rule);
    this.#connection.check();
    const backend = await this.#connection.backend();
    if (!this.#ready.has(backend)) await this.open();
    prepared.check(backend.store);
    return await prepared.written(
      await this.#desk(backend, executor).insertSchedule(executor, prepared.schedule, lockTimeoutMs),
    );
  }

  /** Runs `work` with `tx` as the transaction that the verbs called in it write on. */
  run(tx: unknown, work: unknown, options?: TransactionOptions): unknown {
    if (typeof work !== "function") throw new OptionError("withTransaction needs a function after the transaction.");
    const verbs = new AmbientVerbs(this.in(tx, options));
    const ended = (): void => verbs.end();
    this.#ambient ??= new AsyncLocalStorage();
    let result: unknown;
    try {
      result = this.#ambient.run(verbs, work as () => unknown);
    } catch (error) {
      ended();
      throw error;
    }
    if (isThenable(result)) void Promise.resolve(result).then(ended, ended);
    else ended();
    return result;
  }

  /** The verbs of the ambient transaction, if the caller runs in one. */
  get ambient(): InsideVerbs | undefined {
    return this.#ambient?.getStore()?.verbs;
  }

  #writeNow(executor: Executor, prepared: Prepared[] | Promise<Prepared[]>, lockTimeoutMs: number): string[] {
    if (prepared instanceof Promise) throw cannotWait(executor, prepared);
    this.#check(prepared);
    const backend = this.#connection.opened;
    if (backend === undefined || !this.#ready.has(backend)) throw notOpened(executor);
    const submitted = this.#desk(backend, executor).submit(executor, this.#tasks(backend, prepared), lockTimeoutMs);
    return this.#sent(prepared, submitted as Submitted[]);
  }

  async #writeInTime(
    executor: Executor,
    preparing: Prepared[] | Promise<Prepared[]>,
    lockTimeoutMs: number,
  ): Promise<string[]> {
    const prepared = await preparing;
    this.#check(prepared);
    const backend = await this.#connection.backend();
    if (!this.#ready.has(backend)) await this.open();
    const submitted = await this.#desk(backend, executor).submit(
      executor,
      this.#tasks(backend, prepared),
      lockTimeoutMs,
    );
    return this.#sent(prepared, submitted);
  }

  #check(prepared: readonly Prepared[]): void {
    this.#connection.check();
    if (prepared.some(({ task }) => task.member !== undefined)) {
      throw new OptionError(
        "A task of a batch cannot be enqueued in a transaction: the batch would count it only when that commits. Nothing was " +
          "enqueued. Leave the option `batch` out, or enqueue it after the commit, with q.afterCommit.",
      );
    }
    if (!prepared.some((one) => this.#sender.runsHere(one))) return;
    throw new OptionError(
      "Sync mode runs a task at once, and a transaction may still be rolled back. Nothing was enqueued. " +
        "Leave the option `sync` out in transactions, or call the task's function yourself.",
    );
  }

  #tasks({ broker }: Backend, prepared: readonly Prepared[]): NewTask[] {
    const tasks = prepared.map(({ task }) => task);
    checkPriorities(broker, tasks);
    return tasks;
  }

  #desk(backend: Backend, { library }: Executor): TransactionDesk {
    const { transactions } = backend;
    if (transactions === undefined) {
      throw new TransactionError(
        `The option \`database\` names a database whose tables cannot be written in a transaction of ${library}. ` +
          "Use q.afterCommit, which enqueues once the transaction has committed.",
      );
    }
    let desk = this.#desks.get(backend);
    if (desk === undefined) this.#desks.set(backend, (desk = new TransactionDesk(transactions)));
    return desk;
  }

  #sent(prepared: readonly Prepared[], submitted: readonly Submitted[]): string[] {
    for (const one of prepared) this.#sender.sent(one);
    return prepared.map(({ task }, index) => submitted[index]?.id ?? task.id);
  }
}

/** The verbs of one ambient transaction, until the function that it was made for has ended. */
class AmbientVerbs {
  readonly verbs: InsideVerbs;
  #ended = false;

  constructor(verbs: InsideVerbs) {
    this.verbs = {
      send: (target, args) => (this.#ended ? Promise.reject(lateCall()) : verbs.send(target, args)),
      sendAll: (links) => (this.#ended ? Promise.reject(lateCall()) : verbs.sendAll(links)),
      schedule: (target, rule) => (this.#ended ? Promise.reject(lateCall()) : verbs.schedule(target, rule)),
    };
  }

  end(): void {
    this.#ended = true;
  }
}

/** What a synchronous connection refuses is thrown at once, as its own methods do: only that rolls its transaction back. */
function settled<T>(executor: Executor, work: () => T | Promise<T>): Promise<T> {
  if (executor.synchronous) return Promise.resolve(work());
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

function lockTimeoutOf(options: TransactionOptions): number {
  for (const key of Object.keys(options)) {
    if (key !== "lockTimeout")
      throw new OptionError(`There is no option "${key}" of a transaction. Known is: lockTimeout.`);
  }
  const { lockTimeout } = options;
  return lockTimeout === undefined ? defaultLockTimeoutMs : parseDuration(lockTimeout, "lockTimeout");
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function lateCall(): TransactionError {
  return new TransactionError(
    "This verb was called after the function of withTransaction had ended, and its transaction may be over. " +
      "Await every verb inside the function, or enqueue outside of it.",
  );
}

function cannotWait({ library }: Executor, prepared: Promise<unknown>): TransactionError {
  prepared.catch(() => {});
  return new TransactionError(
    `A preEnqueue handler or an asynchronous input schema cannot be waited for on a synchronous connection ` +
      `(${library}): the transaction could be over by then. Nothing was enqueued. ` +
      "Enqueue it outside the transaction, or make the schema synchronous and disconnect the handler.",
  );
}

function notOpened({ library }: Executor): TransactionError {
  return new TransactionError(
    `The queue's database is not open yet, and a synchronous connection (${library}) cannot wait until it is. Nothing was ` +
      "enqueued. Call `await q.open()` once when the application starts.",
  );
}
