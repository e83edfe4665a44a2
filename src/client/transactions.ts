import { AsyncLocalStorage } from "node:async_hooks";
import type { Backend } from "../contracts/backend.js";
import type { NewTask, Submitted } from "../contracts/store.js";
import type { Executor } from "../contracts/transaction.js";
import { parseDuration } from "../core/duration.js";
import { OptionError, TransactionError } from "../errors.js";
import { recogniseTransaction } from "../transactions/recognise.js";
import { TransactionDesk } from "../transactions/transaction-desk.js";
import type { Connection } from "./connection.js";
import type { Prepared } from "./enqueuer.js";
import type { FlowDesk } from "./flow-desk.js";
import { FlowsInside, noSync, type InsideHost, type InsidePlace } from "./flows-inside.js";
import { after } from "./in-turn.js";
import { checkPriorities, type Sender } from "./sender.js";
import type { PreparedSchedule, ScheduleClient } from "./schedule-client.js";
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
  readonly sendChain: (links: unknown, options: unknown) => Promise<string>;
  readonly sendIter: (target: unknown, elements: unknown, options: unknown) => Promise<string>;
  readonly schedule: (target: unknown, rule: unknown) => Promise<Schedule>;
}

/** The code for schedules, which is loaded when somebody needs it. */
export interface Scheduling {
  readonly load: () => Promise<Pick<ScheduleClient, "prepare" | "ready">>;
  /** Once it was loaded. */
  readonly loaded: () => LoadedScheduling | undefined;
}

type LoadedScheduling = Pick<ScheduleClient, "prepare">;

/** Enqueues on transactions of the application: `q.in`, `q.withTransaction`. */
export class Transactions {
  readonly #connection: Connection;
  readonly #flows: FlowDesk;
  readonly #sender: Sender;
  readonly #scheduling: Scheduling;
  readonly #desks = new WeakMap<Backend, TransactionDesk>();
  /** Made with the first ambient transaction, so that nobody else pays for it. */
  #ambient: AsyncLocalStorage<AmbientVerbs> | undefined;

  constructor(connection: Connection, flows: FlowDesk, scheduling: Scheduling) {
    this.#connection = connection;
    this.#flows = flows;
    this.#sender = flows.sender;
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
    const host: InsideHost = {
      executor,
      inside: (prepared, write) => this.#inside(executor, prepared, write),
    };
    const write = (prepared: Prepared[] | Promise<Prepared[]>) =>
      host.inside(prepared, (all, place) => this.#write(executor, all, place, lockTimeoutMs));
    const flows = new FlowsInside(this.#flows, host);
    return {
      send: (target, args) =>
        settled(executor, () => {
          const prepared = this.#sender.prepare(target, args);
          const list = prepared instanceof Promise ? prepared.then((one) => [one]) : [prepared];
          return after(write(list), ([id]) => id!);
        }),
      sendAll: (links) => settled(executor, () => write(this.#sender.prepareAll(links))),
      sendChain: (links, more) => settled(executor, () => flows.chain(links, more)),
      sendIter: (target, elements, more) => settled(executor, () => flows.iter(target, elements, more)),
      schedule: (target, rule) =>
        settled(executor, () =>
          after(this.#loadScheduling(executor), (scheduling) =>
            this.#schedule(host, scheduling.prepare(target, rule), lockTimeoutMs),
          ),
        ),
    };
  }

  #loadScheduling(executor: Executor): LoadedScheduling | Promise<LoadedScheduling> {
    if (!executor.synchronous) return this.#scheduling.load();
    const scheduling = this.#scheduling.loaded();
    if (scheduling === undefined) throw notOpened(executor);
    return scheduling;
  }

  #schedule(
    host: InsideHost,
    preparing: PreparedSchedule | Promise<PreparedSchedule>,
    lockTimeoutMs: number,
  ): Schedule | Promise<Schedule> {
    return host.inside(preparing, (prepared, { backend, desk }) => {
      prepared.check(backend.store);
      const inserted = desk.insertSchedule(host.executor, prepared.schedule, lockTimeoutMs);
      return after(inserted, (answer) => prepared.written(answer));
    });
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

  /** Calls `write` with what was prepared, once nothing has to be waited for: on a synchronous connection in this very turn. */
  #inside<T, R>(
    executor: Executor,
    prepared: T | Promise<T>,
    write: (prepared: T, place: InsidePlace) => R | Promise<R>,
  ): R | Promise<R> {
    if (!executor.synchronous) return this.#insideInTime(executor, prepared, write);
    if (prepared instanceof Promise) throw cannotWait(executor, prepared);
    this.#connection.check();
    const backend = this.#connection.opened;
    if (backend === undefined || !this.#ready.has(backend)) throw notOpened(executor);
    return write(prepared, { backend, desk: this.#desk(backend, executor) });
  }

  async #insideInTime<T, R>(
    executor: Executor,
    preparing: T | Promise<T>,
    write: (prepared: T, place: InsidePlace) => R | Promise<R>,
  ): Promise<R> {
    const prepared = await preparing;
    this.#connection.check();
    const backend = await this.#connection.backend();
    if (!this.#ready.has(backend)) await this.open();
    return await write(prepared, { backend, desk: this.#desk(backend, executor) });
  }

  #write(
    executor: Executor,
    prepared: readonly Prepared[],
    { backend, desk }: InsidePlace,
    lockTimeoutMs: number,
  ): string[] | Promise<string[]> {
    this.#check(prepared);
    const submitted = desk.submit(executor, this.#tasks(backend, prepared), lockTimeoutMs);
    return after(submitted, (answers) => this.#sent(prepared, answers));
  }

  #check(prepared: readonly Prepared[]): void {
    if (prepared.some(({ task }) => task.member !== undefined)) {
      throw new OptionError(
        "A task of a batch cannot be enqueued in a transaction: the batch would count it only when that commits. Nothing was " +
          "enqueued. Leave the option `batch` out, or enqueue it after the commit, with q.afterCommit.",
      );
    }
    if (prepared.some((one) => this.#sender.runsHere(one))) throw noSync();
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
      sendChain: (...args) => (this.#ended ? Promise.reject(lateCall()) : verbs.sendChain(...args)),
      sendIter: (...args) => (this.#ended ? Promise.reject(lateCall()) : verbs.sendIter(...args)),
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
