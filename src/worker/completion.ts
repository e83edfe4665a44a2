import { hostname } from "node:os";
import type { WorkerInit } from "../contracts/frames.js";
import type { Logger } from "../contracts/logger.js";
import type { Settlement } from "../contracts/store.js";
import type { Executor } from "../contracts/transaction.js";
import { leaseLost } from "../core/abort-error.js";
import type { Execution, SealedSuccess } from "../core/execute.js";
import { policyOf } from "../core/settle.js";
import { settle } from "../core/settlement.js";
import { readHeader } from "../core/task-header.js";
import { TransactionError } from "../errors.js";
import { recogniseTransaction } from "../transactions/recognise.js";
import { TransactionDesk } from "../transactions/transaction-desk.js";

/** How long a transaction may hold the only write lock of an SQLite file before somebody is told, in milliseconds. */
const longLockMs = 1_000;

/** Ends tasks in transactions of their own. */
export class Completion {
  readonly #init: WorkerInit;
  readonly #logger: Logger;
  #desk: TransactionDesk | undefined;
  #opening: Promise<TransactionDesk> | undefined;
  /** On which connections each task has been completed: once in a transaction is enough. */
  readonly #connections = new WeakMap<Execution, WeakSet<object>>();

  constructor(init: WorkerInit, logger: Logger) {
    this.#init = init;
    this.#logger = logger;
  }

  /** Loads what a task on a synchronous connection could not wait for. */
  async prepare(): Promise<void> {
    const { scheme, options } = this.#init.database;
    if (options === null) return;
    const { writerAt } = await import("../options/open-writer.js");
    const writer = await writerAt(scheme, options);
    if (writer !== undefined) this.#desk = new TransactionDesk(writer);
  }

  readonly completeIn = (execution: Execution, tx: object, success: SealedSuccess): void | Promise<void> => {
    const { broker } = this.#init.database;
    if (broker !== null) throw brokerElsewhere(broker);
    const executor = recogniseTransaction(tx);
    const settlement = this.#settlement(execution, success);
    const write = (desk: TransactionDesk): boolean | Promise<boolean> =>
      desk.finish(executor, execution.job.consumer, settlement);
    const written = (stored: boolean): void => this.#written(execution, executor, stored);
    if (executor.synchronous) {
      if (this.#desk === undefined) throw noTransactions(this.#init);
      return written(write(this.#desk) as boolean);
    }
    return this.#open().then(write).then(written);
  };

  #open(): Promise<TransactionDesk> {
    if (this.#desk !== undefined) return Promise.resolve(this.#desk);
    this.#opening ??= this.#openDesk();
    // The next task tries again.
    this.#opening.catch(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #openDesk(): Promise<TransactionDesk> {
    const { scheme, options } = this.#init.database;
    if (options === null) throw notSendable();
    const { openWriter } = await import("../options/open-writer.js");
    const writer = await openWriter(scheme, options);
    if (writer === undefined) throw noTransactions(this.#init);
    return (this.#desk = new TransactionDesk(writer));
  }

  #settlement({ job }: Execution, { result, startedAt, stoppedAt }: SealedSuccess): Settlement {
    const header = readHeader(job.envelope) ?? { v: 1, id: job.id, func: "" };
    const { save, hookOn } = this.#init;
    const policy = policyOf(header, { ...noRetries, save, hookOn });
    const worker = `${hostname()}:${process.pid}`;
    const delivery = { ...job, attempts: job.attempt - 1 };
    return settle({ delivery, header, policy }, { ending: "succeeded", startedAt, stoppedAt, worker, result }, 0);
  }

  #written(execution: Execution, executor: Executor, stored: boolean): void {
    const connections = this.#connections.get(execution) ?? new WeakSet();
    if (!stored && connections.has(executor.connection)) {
      throw new TransactionError(
        "completeIn was called twice in one transaction: the first call has ended the task. Call it once, at the end.",
      );
    }
    if (!stored) throw leaseLost(execution.job);
    this.#connections.set(execution, connections.add(executor.connection));
    if (executor.dialect === "sqlite") this.#watch(execution, executor);
  }

  /** A connection that cannot tell counts as open while the task runs. */
  #watch(execution: Execution, executor: Executor): void {
    setTimeout(() => {
      if (execution.ended || !isOpen(executor)) return;
      this.#logger.warn(
        `[${execution.name}] has held the only write lock of the database for ${longLockMs / 1_000} s since completeIn. ` +
          "Call it at the end of a short transaction: until it commits, nobody else can write.",
        { taskId: execution.id },
      );
    }, longLockMs).unref();
  }
}

/** What a success does not need to know. */
const noRetries = { timeoutMs: null, attempts: 1, backoff: { baseMs: 0, factor: 1, maxMs: 0, jitter: 0 } } as const;

function isOpen(executor: Executor): boolean {
  try {
    executor.assertOpen();
    return true;
  } catch {
    return false;
  }
}

function brokerElsewhere(broker: string): TransactionError {
  return new TransactionError(
    `completeIn acknowledges the task in the transaction, and \`broker\` names "${broker}:", which cannot take part in it. ` +
      "Leave `broker` out, or return the value instead.",
  );
}

function notSendable(): TransactionError {
  return new TransactionError(
    "completeIn opens the database that `database` names, and a pool or client cannot be sent to a worker. Name the " +
      'database by its address ("postgres://…") in the configuration of the cluster, or return the value instead.',
  );
}

function noTransactions({ database }: WorkerInit): TransactionError {
  return new TransactionError(
    `completeIn needs tasks and their results in the database of the transaction, and \`database\` names ` +
      `"${database.scheme}:", which has none that can be joined. Return the value instead.`,
  );
}
