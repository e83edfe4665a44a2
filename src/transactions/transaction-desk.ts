import type { NewFlow } from "../contracts/flows.js";
import type { InsertedSchedule, NewSchedule } from "../contracts/schedules.js";
import type { NewTask, Settlement, Submitted } from "../contracts/store.js";
import type { Executor, SqlSteps, TransactionWriter } from "../contracts/transaction.js";
import { TransactionError } from "../errors.js";
import { runSteps } from "./run-steps.js";

/** Writes through a {@link TransactionWriter}: checks each source of transactions once, and keeps to one writer at a time on each. */
export class TransactionDesk {
  readonly #writer: TransactionWriter;
  /** The sources whose transactions are known to reach our tables. */
  readonly #checked = new WeakSet<object>();
  /** The last writing on each connection: statements of two must not mix. */
  readonly #last = new WeakMap<object, Promise<unknown>>();

  constructor(writer: TransactionWriter) {
    this.#writer = writer;
  }

  submit(executor: Executor, tasks: readonly NewTask[], lockTimeoutMs: number): Submitted[] | Promise<Submitted[]> {
    return this.#write(executor, () => this.#writer.submit(tasks, lockTimeoutMs));
  }

  insertSchedule(
    executor: Executor,
    schedule: NewSchedule,
    lockTimeoutMs: number,
  ): InsertedSchedule | Promise<InsertedSchedule> {
    return this.#write(executor, () => this.#writer.insertSchedule(schedule, lockTimeoutMs));
  }

  openFlow(executor: Executor, flow: NewFlow, members: readonly NewTask[]): void | Promise<void> {
    return this.#write(executor, () => this.#writer.openFlow(flow, members));
  }

  addElements(executor: Executor, id: string, elements: readonly NewTask[], size: number | null): void | Promise<void> {
    return this.#write(executor, () => this.#writer.addElements(id, elements, size));
  }

  dropFlow(executor: Executor, id: string): void | Promise<void> {
    return this.#write(executor, () => this.#writer.dropFlow(id));
  }

  finish(executor: Executor, consumer: string, settlement: Settlement): boolean | Promise<boolean> {
    return this.#write(executor, () => this.#writer.finish(consumer, settlement));
  }

  #write<T>(executor: Executor, steps: () => SqlSteps<T>): T | Promise<T> {
    if (executor.dialect !== this.#writer.dialect) throw wrongDialect(executor, this.#writer);
    const run = (): T | Promise<T> => {
      executor.assertOpen();
      return runSteps(executor, this.#checking(executor, steps));
    };
    if (executor.synchronous) return run();
    const before = this.#last.get(executor.connection) ?? Promise.resolve();
    const write = before.then(() => this.#secondChance(executor, run));
    this.#last.set(
      executor.connection,
      write.catch(() => {}),
    );
    return write;
  }

  /** A server that has been restarted since it was looked at would look like another one. */
  async #secondChance<T>(executor: Executor, run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof TransactionError) || this.#checked.has(executor.source)) throw error;
    }
    await this.#writer.ready();
    return await run();
  }

  *#checking<T>(executor: Executor, steps: () => SqlSteps<T>): SqlSteps<T> {
    if (!this.#checked.has(executor.source)) {
      yield* this.#writer.check(executor);
      this.#checked.add(executor.source);
    }
    return yield* steps();
  }
}

function wrongDialect({ library, dialect }: Executor, writer: TransactionWriter): TransactionError {
  return new TransactionError(
    `This transaction of ${library} is on ${dialect}, and Qluster's tables are on ${writer.dialect}: they cannot commit ` +
      "together. Use q.afterCommit, or let `database` name the database of the transaction.",
  );
}
