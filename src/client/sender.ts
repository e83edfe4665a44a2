import type { Logger } from "../contracts/logger.js";
import type { Submitted } from "../contracts/store.js";
import type { Keyring } from "../core/keyring.js";
import { OptionError, QlusterError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Connection } from "./connection.js";
import { prepare, type EnqueueHost, type Prepared } from "./enqueuer.js";
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
  #host: EnqueueHost | undefined;
  #knowsAll = false;

  constructor(connection: Connection, config: ResolvedConfig, logger: Logger, keys: () => Keyring) {
    const store = async () => (await connection.draining()).store;
    this.#connection = connection;
    this.#config = config;
    this.#logger = logger;
    this.#keys = keys;
    this.#submitter = new Submitter(store, config.maxPending);
    this.#sync = new SyncRunner({ config, keys, store, logger });
    this.#liveNames = new LiveNames(async () => await (await store()).clusters(), logger);
  }

  /** From now on this process is expected to know every task's name. */
  tasksLoaded(): void {
    this.#knowsAll = true;
  }

  /** Resolves when what was accepted is written. */
  async idle(): Promise<void> {
    await this.#submitter.idle();
  }

  // Not async: up to the write it costs the caller no turn of the loop, and calls of one turn share a write.
  send(target: unknown, args: readonly unknown[]): Promise<string> {
    try {
      const prepared = this.#prepare(target, args);
      return prepared instanceof Promise ? prepared.then((ready) => this.#sendOne(ready)) : this.#sendOne(prepared);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async sendAll(links: unknown): Promise<string[]> {
    if (!Array.isArray(links)) throw new OptionError(`asyncTasks got ${quote(links)}; expected an array of link(…).`);
    const prepared: Prepared[] = [];
    for (const [index, link] of links.entries()) prepared.push(await this.#prepareLink(link, index));
    const queued = prepared.filter((one) => !this.#runsHere(one));
    const answers = await this.#submit(queued);
    const ids = new Map(queued.map((one, index) => [one, answers[index]?.id ?? one.task.id]));
    for (const one of prepared) if (this.#runsHere(one)) ids.set(one, await this.#sync.run(one));
    return prepared.map((one) => ids.get(one) ?? one.task.id);
  }

  #prepare(target: unknown, args: readonly unknown[]): Prepared | Promise<Prepared> {
    this.#connection.check();
    return prepare((this.#host ??= this.#createHost()), target, args);
  }

  async #prepareLink(link: unknown, index: number): Promise<Prepared> {
    const { target, args } = partsOf(link, index);
    try {
      return await this.#prepare(target, args);
    } catch (error) {
      if (error instanceof QlusterError) error.message = `At place ${index} of asyncTasks: ${error.message}`;
      throw error;
    }
  }

  #sendOne(prepared: Prepared): Promise<string> {
    if (this.#runsHere(prepared)) return this.#sync.run(prepared);
    const { task } = prepared;
    if (task.priority !== 0) return this.#submit([prepared]).then(([answer]) => answer?.id ?? task.id);
    return this.#submitter.submit([task]).then(([answer]) => {
      this.#sent(prepared);
      return answer?.id ?? task.id;
    });
  }

  async #submit(prepared: readonly Prepared[]): Promise<readonly Submitted[]> {
    if (prepared.length === 0) return [];
    if (prepared.some(({ task }) => task.priority !== 0)) await this.#checkPriorities();
    const answers = await this.#submitter.submit(prepared.map(({ task }) => task));
    for (const one of prepared) this.#sent(one);
    return answers;
  }

  #sent({ task, unknown }: Prepared): void {
    if (unknown) this.#liveNames.check(task.func);
    if (this.#config.logger !== null || this.#config.logLevel === "debug") {
      this.#logger.debug(`Enqueued [${task.queue}] ${task.id}`, {
        taskId: task.id,
        task: task.func,
        queue: task.queue,
      });
    }
  }

  async #checkPriorities(): Promise<void> {
    const { broker } = await this.#connection.backend();
    if (broker.capabilities.priority) return;
    throw new OptionError(
      "The broker keeps no priorities. Leave `priority` out, or give urgent tasks a queue of their own.",
    );
  }

  #runsHere({ sync }: Prepared): boolean {
    return sync ?? this.#config.sync;
  }

  #createHost(): EnqueueHost {
    const { compress, encrypt, maxMessageBytes, clusterName } = this.#config;
    return {
      keys: this.#keys(),
      queue: clusterName,
      seal: { compress, encrypt, maxBytes: maxMessageBytes },
      knowsAll: () => this.#knowsAll,
      handlerFailed: (error) => this.#logger.error("A preEnqueue handler failed; the task went on", { error }),
    };
  }
}
