import type { Logger } from "../contracts/logger.js";
import { TransactionError } from "../errors.js";
import { commitHookOf } from "../transactions/commit-hook.js";
import type { Prepared } from "./enqueuer.js";
import type { Sender } from "./sender.js";
import type { PlainVerbs } from "./transactions.js";

/**
 * Keeps checked and sealed requests until a transaction has committed. They live in this process's memory until then: a
 * crash between the commit and the write loses them.
 */
export class AfterCommit implements PlainVerbs {
  readonly #sender: Sender;
  readonly #logger: Logger;
  readonly #held: Promise<Prepared[]>[] = [];
  #written: Promise<void> | undefined;

  /** @param tx - Of a library that tells of its commits; of others {@link AfterCommit.committed} has to be called. */
  constructor(tx: unknown, sender: Sender, logger: Logger) {
    this.#sender = sender;
    this.#logger = logger;
    commitHookOf(tx)?.(() => this.committed().catch((error: unknown) => this.#lost(error)));
  }

  readonly send = (target: unknown, args: readonly unknown[]): Promise<string> => {
    const prepared = this.#hold(async () => [await this.#sender.prepare(target, args)]);
    return prepared.then(([one]) => one!.task.id);
  };

  readonly sendAll = (links: unknown): Promise<string[]> => {
    const prepared = this.#hold(async () => await this.#sender.prepareAll(links));
    return prepared.then((all) => all.map(({ task }) => task.id));
  };

  /** Resolves when everything is written. A second call waits for the first. */
  readonly committed = (): Promise<void> => (this.#written ??= this.#write());

  /** From the call on: the commit may come before a schema or a handler has answered. */
  #hold(prepare: () => Promise<Prepared[]>): Promise<Prepared[]> {
    if (this.#written !== undefined) {
      return Promise.reject(
        new TransactionError(
          "The transaction has committed already, so there is nothing to wait for. Enqueue with the verbs of q itself.",
        ),
      );
    }
    const prepared = prepare();
    // What is refused is told to its caller, and enqueues nothing.
    this.#held.push(prepared.catch(() => []));
    return prepared;
  }

  async #write(): Promise<void> {
    const held = (await Promise.all(this.#held.splice(0))).flat();
    if (held.length > 0) await this.#sender.sendPrepared(held);
  }

  /** Nobody may be waiting for it: the library has called. */
  #lost(error: unknown): void {
    this.#logger.error("A transaction has committed, and the tasks that were to follow could not be enqueued.", {
      error,
    });
  }
}
