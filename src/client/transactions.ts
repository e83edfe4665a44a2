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
import { checkPriorities, type Sender } from "./sender.js";
import type { TransactionOptions } from "./types.js";

const defaultLockTimeoutMs = 2_000;

/** The verbs as values to check; their public types are those of `EnqueueVerbs`. */
export interface PlainVerbs {
  readonly send: (target: unknown, args: readonly unknown[]) => Promise<string>;
  readonly sendAll: (links: unknown) => Promise<string[]>;
}

/** Enqueues on transactions of the application: `q.in`, `q.withTransaction`. */
export class Transactions {
  readonly #connection: Connection;
  readonly #sender: Sender;
  readonly #desks = new WeakMap<Backend, TransactionDesk>();
  /** Made with the first ambient transaction, so that nobody else pays for it. */
  #ambient: AsyncLocalStorage<AmbientVerbs> | undefined;

  constructor(connection: Connection, sender: Sender) {
    this.#connection = connection;
    this.#sender = sender;
  }

  /** Opens the database, and reads what a synchronous connection cannot wait for. */
  async open(): Promise<void> {
    const backend = await this.#connection.backend();
    await backend.transactions?.ready();
    this.#ready.add(backend);
  }

  readonly #ready = new WeakSet<Backend>();

  /** @throws {TransactionError} when `tx` is no transaction that is known here. */
  in(tx: unknown, options: TransactionOptions = {}): PlainVerbs {
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
    };
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
  get ambient(): PlainVerbs | undefined {
    return this.#ambient?.getStore()?.verbs;
  }

  #writeNow(executor: Executor, prepared: Prepared[] | Promise<Prepared[]>, lockTimeoutMs: number): string[] {
    if (prepared instanceof Promise) {
      prepared.catch(() => {});
      throw new TransactionError(
        `A preEnqueue handler or an asynchronous input schema cannot be waited for on a synchronous connection ` +
          `(${executor.library}): the transaction could be over by then. Nothing was enqueued. ` +
          "Enqueue it outside the transaction, or make the schema synchronous and disconnect the handler.",
      );
    }
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
  readonly verbs: PlainVerbs;
  #ended = false;

  constructor(verbs: PlainVerbs) {
    this.verbs = {
      send: (target, args) => (this.#ended ? Promise.reject(lateCall()) : verbs.send(target, args)),
      sendAll: (links) => (this.#ended ? Promise.reject(lateCall()) : verbs.sendAll(links)),
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

function notOpened({ library }: Executor): TransactionError {
  return new TransactionError(
    `The queue's database is not open yet, and a synchronous connection (${library}) cannot wait until it is. Nothing was ` +
      "enqueued. Call `await q.open()` once when the application starts.",
  );
}
