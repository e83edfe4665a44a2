import type { Backend } from "../contracts/backend.js";
import type { Executor } from "../contracts/transaction.js";
import { OptionError, TransactionError } from "../errors.js";
import type { TransactionDesk } from "../transactions/transaction-desk.js";
import { prepareChain } from "./chains.js";
import type { Prepared } from "./enqueuer.js";
import { flowsOf, type FlowDesk } from "./flow-desk.js";
import { after } from "./in-turn.js";
import { atOnce, batchesOf, flowOf, planRun, sealElements, type Run } from "./iterables.js";
import { checkPriorities } from "./sender.js";

/** Where a transaction of the application is written on. */
export interface InsidePlace {
  readonly backend: Backend;
  readonly desk: TransactionDesk;
}

/** One transaction of the application. */
export interface InsideHost {
  readonly executor: Executor;
  /** Calls `write` with what was prepared: in this very turn where the connection can wait for nothing. */
  readonly inside: <T, R>(
    prepared: T | Promise<T>,
    write: (prepared: T, place: InsidePlace) => R | Promise<R>,
  ) => R | Promise<R>;
}

/** Chains and iterables in a transaction of the application. */
export class FlowsInside {
  readonly #flows: FlowDesk;
  readonly #host: InsideHost;

  constructor(flows: FlowDesk, host: InsideHost) {
    this.#flows = flows;
    this.#host = host;
  }

  chain(links: unknown, options: unknown): string | Promise<string> {
    const { executor, inside } = this.#host;
    return inside(prepareChain(this.#flows, links, options), ({ id, here, parts, members }, place) => {
      if (here) throw noSync();
      const tasks = tasksOf(place, members);
      const flow = this.#flows.sealed(parts, place.backend.store);
      return after(place.desk.openFlow(executor, flow, tasks), () => {
        for (const member of members) this.#flows.sender.sent(member);
        return id;
      });
    });
  }

  iter(target: unknown, elements: unknown, options: unknown): string | Promise<string> {
    const run = planRun(this.#flows, target, elements, options);
    if (run.here) throw noSync();
    return this.#host.executor.synchronous ? this.#iterNow(run) : this.#iterInTime(run);
  }

  async #iterInTime(run: Run): Promise<string> {
    const batches = batchesOf(run.source);
    try {
      const first = (await batches.next()).value ?? [];
      const sealed = sealElements(this.#flows, run, first, 0);
      await this.#host.inside(sealed, (elements, place) => this.#stream(run, first, elements, batches, place));
    } catch (error) {
      await batches.return(undefined);
      throw error;
    }
    return run.id;
  }

  async #stream(
    run: Run,
    first: readonly unknown[],
    sealed: readonly Prepared[],
    rest: AsyncIterator<unknown[]>,
    place: InsidePlace,
  ): Promise<void> {
    const { executor } = this.#host;
    try {
      let size = await this.#open(run, first, sealed, place);
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        size += await this.#add(run, await sealElements(this.#flows, run, next.value, size), size, place);
      }
      if (first.length === atOnce) await place.desk.addElements(executor, run.id, [], size);
    } catch (error) {
      // A transaction that has failed takes it back by itself.
      await Promise.resolve(place.desk.dropFlow(executor, run.id)).catch(() => {});
      throw error;
    }
  }

  /** All in this turn of the loop. */
  #iterNow(run: Run): string | Promise<string> {
    const { source } = run;
    if (!(Symbol.iterator in source)) throw cannotIterate(this.#host.executor);
    const elements = [...source];
    // All are sealed before the first is written: there is no moment at which half of them are.
    return this.#host.inside(sealElements(this.#flows, run, elements, 0), (sealed, place) =>
      after(this.#open(run, elements, sealed, place), () => run.id),
    );
  }

  /** @param sealed - The first elements; all of them, if there are fewer than one batch or the connection is synchronous. */
  #open(
    run: Run,
    elements: readonly unknown[],
    sealed: readonly Prepared[],
    place: InsidePlace,
  ): number | Promise<number> {
    const { executor } = this.#host;
    const isAll = executor.synchronous || elements.length < atOnce;
    const tasks = tasksOf(place, sealed);
    const known = { kept: elements.length < atOnce ? elements : [], steps: isAll ? [sealed.length] : [] };
    const flow = flowOf(this.#flows, run, known, place.backend.store);
    return after(place.desk.openFlow(executor, flow, tasks), () => this.#written(run, sealed, sealed.length));
  }

  async #add(run: Run, sealed: readonly Prepared[], before: number, place: InsidePlace): Promise<number> {
    await place.desk.addElements(this.#host.executor, run.id, tasksOf(place, sealed), null);
    this.#written(run, sealed, before + sealed.length);
    return sealed.length;
  }

  #written({ plan }: Run, [first]: readonly Prepared[], size: number): number {
    if (first !== undefined) this.#flows.sender.sent(first);
    plan.onProgress?.(size);
    return size;
  }
}

function tasksOf({ backend: { broker, store } }: InsidePlace, prepared: readonly Prepared[]) {
  flowsOf(store);
  const tasks = prepared.map(({ task }) => task);
  checkPriorities(broker, tasks);
  return tasks;
}

export function noSync(): OptionError {
  return new OptionError(
    "Sync mode runs a task at once, and a transaction may still be rolled back. Nothing was enqueued. " +
      "Leave the option `sync` out in transactions, or call the task's function yourself.",
  );
}

function cannotIterate({ library }: Executor): TransactionError {
  return new TransactionError(
    `An asynchronous iterable cannot be waited for on a synchronous connection (${library}): the transaction could be over by ` +
      "then. Nothing was enqueued. Read it first, and give asyncIter the list of its elements.",
  );
}
