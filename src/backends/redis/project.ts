import type { Clock } from "../../contracts/clock.js";
import { ChainsAhead } from "../sql/chains-ahead.js";
import type { FlowHash } from "./flow-hash.js";
import type { OutboxOptions } from "../../contracts/outbox.js";
import { StoreUnavailableError } from "../../errors.js";
import type { RedisClient } from "./client.js";
import type { Connection } from "./connection.js";
import { script, type Script, type ScriptName } from "./scripts.js";

/** What a script is called with. Numbers are written out. */
export type Values = readonly (string | number)[];

interface ProjectOptions {
  readonly connection: Connection;
  readonly prefix: string;
  /** A test's clock; without one the scripts ask the server. */
  readonly clock: Clock | undefined;
  /** How many replicas have a write before it counts as done. */
  readonly replicas: number;
  readonly outbox: OutboxOptions | undefined;
}

interface Confirmed {
  readonly reply: unknown;
  readonly replicas: number;
}

/** How long the replicas may take, in milliseconds. */
const replicaMs = 1_000;

/** One project's keys, reached through scripts only. */
export class RedisProject {
  readonly prefix: string;
  readonly ahead: ChainsAhead<FlowHash> = new ChainsAhead();
  readonly #connection: Connection;
  readonly #clock: Clock | undefined;
  readonly #replicas: number;
  readonly #outbox: string;

  constructor({ connection, prefix, clock, replicas, outbox }: ProjectOptions) {
    this.prefix = prefix;
    this.#connection = connection;
    this.#clock = clock;
    this.#replicas = replicas;
    this.#outbox = outbox === undefined ? "" : outboxText(outbox);
  }

  get isClosed(): boolean {
    return this.#connection.isClosed;
  }

  /** Runs a script that may be lost in a failover, or that writes nothing. */
  run<T>(name: ScriptName, values: Values): Promise<T> {
    const called = script(name);
    return this.#connection.call(
      (): Promise<T> => this.#evaluate(called, values),
      () => this.#patienceFor(values),
    );
  }

  /**
   * Runs a script whose writes must survive what `durability` promises.
   *
   * @param values - Told whether an earlier try may have arrived.
   */
  async runSafely<T>(name: ScriptName, values: (again: boolean) => Values): Promise<T> {
    const called = script(name);
    let sent: Values = [];
    const patience = (): number => this.#patienceFor(sent);
    if (this.#replicas === 0) {
      return await this.#connection.call(
        (again): Promise<T> => this.#evaluate(called, (sent = values(again))),
        patience,
      );
    }
    let first: { readonly reply: T } | undefined;
    return await this.#connection.call(async (again) => {
      const { reply, replicas } = await this.#evaluateAndWait(called, (sent = values(again)));
      // Told again, a write finds itself done; what it answered at first is the answer.
      first ??= { reply: reply as T };
      if (replicas >= this.#replicas) return first.reply;
      throw new StoreUnavailableError(
        `NOREPLICAS Only ${replicas} of ${this.#replicas} replicas confirmed a write within ${replicaMs} ms. ` +
          "Check that the replicas are connected, or ask for fewer (option `durability`).",
        { maybeWritten: true },
      );
    }, patience);
  }

  /** The keys that each script is called with, and the time with what follows from an outbox. */
  #parameters(values: Values): readonly (string | number)[] {
    const time = this.#clock === undefined ? "" : Math.floor(this.#clock.now());
    return [this.prefix, `${this.prefix}~`, this.#outbox === "" ? time : `${time}${this.#outbox}`, ...values];
  }

  /** Thousands of tasks in one call take their time. */
  #patienceFor(values: Values): number {
    return this.#connection.answerMs + values.length;
  }

  async #evaluate<T>({ sha, text }: Script, values: Values): Promise<T> {
    const { client } = this.#connection;
    const parameters = this.#parameters(values);
    try {
      return (await client.evalsha(sha, 2, parameters)) as T;
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return (await client.eval(text, 2, parameters)) as T;
    }
  }

  /** In one pipeline, so that both go over one connection: WAIT asks about the writes of its own. */
  async #evaluateAndWait({ sha, text }: Script, values: Values): Promise<Confirmed> {
    const { client } = this.#connection;
    const parameters = this.#parameters(values);
    try {
      return await this.#piped(client.pipeline().evalsha(sha, 2, parameters));
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await this.#piped(client.pipeline().eval(text, 2, parameters));
    }
  }

  async #piped(pipeline: ReturnType<RedisClient["pipeline"]>): Promise<Confirmed> {
    const [done, waited] = (await pipeline.wait(this.#replicas, replicaMs).exec()) ?? [];
    const error = done?.[0] ?? waited?.[0];
    if (error !== undefined && error !== null) throw error;
    return { reply: done?.[1], replicas: Number(waited?.[1] ?? 0) };
  }
}

/** As `base.lua` reads it behind the time. */
function outboxText({ aheadMs, handMs, resendMs, queues }: OutboxOptions): string {
  const times = [aheadMs, handMs, resendMs].map((ms) => `;${Math.floor(ms)}`).join("");
  return queues === undefined ? times : `${times};${JSON.stringify(queues)}`;
}

/** The server has forgotten the script: it was restarted, or another one took over. */
function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
