import type { Broker } from "../contracts/broker.js";
import type { Logger } from "../contracts/logger.js";
import type { NewTask, Submitted } from "../contracts/store.js";
import { humanName } from "../core/ids.js";
import type { Keyring } from "../core/keyring.js";
import { logMessages } from "../core/log-messages.js";
import { OptionError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Connection } from "./connection.js";
import { prepare, type EnqueueHost, type PartOfFlow, type Prepared } from "./enqueuer.js";
import { eachInTurn, placed } from "./in-turn.js";
import { partsOf } from "./link.js";
import { LiveNames } from "./live-names.js";
import { quote } from "../core/quote.js";
import { Submitter } from "./submitter.js";
import { SyncRunner } from "./sync-runner.js";

/** Sends tasks on their way: `asyncTask` and `asyncTasks` of one client. */
export class Sender {
  readonly #connection: Connection;
  readonly #config: ResolvedConfig;
  readonly #logger: Logger;
  readonly #keys: () => Keyring;
  readonly #submitter: Submitter;
  readonly #sync: SyncRunner;
  readonly #liveNames: LiveNames;
  /** Accepted, and not yet with the submitter, which counts its own. */
  readonly #underWay = new Set<Promise<unknown>>();
  #host: EnqueueHost | undefined;
  #knowsAll = false;

  constructor(connection: Connection, config: ResolvedConfig, logger: Logger, keys: () => Keyring) {
    const store = async () => (await connection.draining()).store;
    const cache = async () => (await connection.draining()).cache;
    this.#connection = connection;
    this.#config = config;
    this.#logger = logger;
    this.#keys = keys;
    this.#submitter = new Submitter({
      write: (tasks) => this.#write(tasks),
      maxPending: config.maxPending,
      timeoutMs: config.enqueueTimeoutMs,
    });
    this.#sync = new SyncRunner({ config, keys, store, cache, logger });
    this.#liveNames = new LiveNames(async () => await (await store()).clusters(), logger);
  }

  /** What requests of this client have in common. */
  get host(): EnqueueHost {
    return (this.#host ??= this.#createHost());
  }

  /** Says so when clusters are alive and none of them knows the task. */
  checkLive(func: string): void {
    this.#liveNames.check(func);
  }

  /** From now on this process is expected to know every task's name. */
  tasksLoaded(): void {
    this.#knowsAll = true;
  }

  /** Resolves when what was accepted is written, also what a schema or a handler was still looking at. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#submitter.idle();
  }

  // Not async: up to the write it costs the caller no turn of the loop, and calls of one turn share a write.
  send(target: unknown, args: readonly unknown[]): Promise<string> {
    try {
      this.#connection.check();
      const prepared = this.prepare(target, args);
      if (prepared instanceof Promise) return this.#counted(prepared.then((ready) => this.#sendOne(ready)));
      return this.runsHere(prepared) ? this.#counted(this.#sync.run(prepared)) : this.#sendOne(prepared);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  sendAll(links: unknown): Promise<string[]> {
    return this.#counted(this.#sendAll(links));
  }

  /** Checks and seals one request, for whoever writes it otherwise. A promise only where the application makes it one. */
  prepare(target: unknown, args: readonly unknown[], part?: PartOfFlow): Prepared | Promise<Prepared> {
    return prepare(this.host, target, args, part);
  }

  /** The same for the links of `asyncTasks`, one after the other. */
  prepareAll(links: unknown): Prepared[] | Promise<Prepared[]> {
    if (!Array.isArray(links)) throw new OptionError(`asyncTasks got ${quote(links)}; expected an array of link(…).`);
    return eachInTurn(links, (link, index) => this.#prepareLink(link, index));
  }

  /** Runs a request in this process. */
  runHere(prepared: Prepared): Promise<string> {
    return this.#sync.run(prepared);
  }

  /** Runs a hook in this process. Its failure is on record and in the log. */
  runHookHere(task: NewTask): Promise<void> {
    return this.#sync.runHook(task);
  }

  /** Writes tasks in one write with what others enqueue at this moment, and tries again while the store is away. */
  write(tasks: readonly NewTask[]): Promise<readonly Submitted[]> {
    return this.#submitter.submit(tasks);
  }

  /** Counts a call as under way, so that closing waits for it. */
  counted<T>(call: Promise<T>): Promise<T> {
    return this.#counted(call);
  }

  /** Says that a request was written. */
  sent({ task, unknown }: Prepared): void {
    if (unknown) this.#liveNames.check(task.func);
    if (this.#config.logger !== null || this.#config.logLevel === "debug") {
      this.#logger.debug(logMessages.enqueued(task.queue, task.id), {
        taskId: task.id,
        task: task.func,
        name: task.name ?? humanName(task.id),
        queue: task.queue,
      });
    }
  }

  /** Whether a request asks for sync mode, or the configuration does. */
  runsHere({ sync }: Prepared): boolean {
    return sync ?? this.#config.sync;
  }

  async #submit(prepared: readonly Prepared[]): Promise<readonly Submitted[]> {
    if (prepared.length === 0) return [];
    const answers = await this.#submitter.submit(prepared.map(({ task }) => task));
    for (const one of prepared) this.sent(one);
    return answers;
  }

  async #sendAll(links: unknown): Promise<string[]> {
    this.#connection.check();
    return await this.sendPrepared(await this.prepareAll(links));
  }

  /** Writes requests that were prepared before, or runs them here in sync mode. */
  async sendPrepared(prepared: readonly Prepared[]): Promise<string[]> {
    const queued = prepared.filter((one) => !this.runsHere(one));
    const answers = await this.#submit(queued);
    if (queued.length === prepared.length) return answers.map(({ id }) => id);
    const ids = new Map(queued.map((one, index) => [one, answers[index]?.id ?? one.task.id]));
    for (const one of prepared) if (this.runsHere(one)) ids.set(one, await this.#sync.run(one));
    return prepared.map((one) => ids.get(one) ?? one.task.id);
  }

  #counted<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call);
    const forget = (): void => void this.#underWay.delete(call);
    call.then(forget, forget);
    return call;
  }

  #prepareLink(link: unknown, index: number): Prepared | Promise<Prepared> {
    const { target, args } = partsOf(link, index);
    return placed(`place ${index} of asyncTasks`, () => this.prepare(target, args));
  }

  #sendOne(prepared: Prepared): Promise<string> {
    if (this.runsHere(prepared)) return this.#sync.run(prepared);
    const { task } = prepared;
    return this.#submitter.submit([task]).then(([answer]) => {
      this.sent(prepared);
      return answer?.id ?? task.id;
    });
  }

  async #write(tasks: readonly NewTask[]): Promise<readonly Submitted[]> {
    const { broker, store } = this.#connection.opened ?? (await this.#connection.draining());
    checkPriorities(broker, tasks);
    return store.submit(tasks);
  }

  #createHost(): EnqueueHost {
    const { compress, encrypt, maxMessageBytes, clusterName, cachedMs } = this.#config;
    return {
      keys: this.#keys(),
      queue: clusterName,
      seal: { compress, encrypt, maxBytes: maxMessageBytes },
      cachedMs,
      knowsAll: () => this.#knowsAll,
      handlerFailed: (error) => this.#logger.error("A preEnqueue handler failed; the task went on", { error }),
    };
  }
}

/** @throws {OptionError} when a task has a priority, and the broker keeps none. */
export function checkPriorities({ capabilities }: Broker, tasks: readonly NewTask[]): void {
  if (capabilities.priority || tasks.every(({ priority }) => priority === 0)) return;
  throw new OptionError(
    "The broker keeps no priorities. Leave `priority` out, or give urgent tasks a queue of their own.",
  );
}
