import { setTimeout as pause } from "node:timers/promises";
import type { ConfigError, StoreUnavailableError } from "../../errors.js";
import type { RedisClient } from "./client.js";
import { configFault, isOutage, maybeArrived, unavailable } from "./redis-error.js";

interface ConnectionOptions {
  readonly client: RedisClient;
  /** For people, without the password. */
  readonly shown: string;
  /** How long a call is tried again while the server is away, in milliseconds. */
  readonly retryMs: number;
  /** A call that is not answered for so long has lost its connection, in milliseconds. Large ones get more. */
  readonly answerMs: number;
  readonly isTls: boolean;
  /** Made here, so closed here. */
  readonly isOwn: boolean;
}

/** Between two tries of one call, in milliseconds. */
const betweenMs = 25;

/** One client, and how to wait for its server. */
export class Connection {
  readonly client: RedisClient;
  readonly shown: string;
  readonly #retryMs: number;
  readonly answerMs: number;
  readonly #isOwn: boolean;
  readonly #isTls: boolean;
  #lastError: unknown;
  #isClosed = false;
  #changing: Promise<void> | undefined;
  #heardNothing: () => void = () => {};

  constructor(options: ConnectionOptions) {
    this.client = options.client;
    this.shown = options.shown;
    this.#retryMs = options.retryMs;
    this.answerMs = options.answerMs;
    this.#isOwn = options.isOwn;
    this.#isTls = options.isTls;
    this.client.on("error", this.#noteError);
    this.client.on("node error", this.#noteError);
  }

  /** Calls `told` when a connection went silent without an end: others to the same server may be as dead. */
  onSilence(told: () => void): void {
    this.#heardNothing = told;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Connects for the first time.
   *
   * @throws {ConfigError} for what no waiting mends. @throws {StoreUnavailableError} when nobody answers in time.
   */
  async open(): Promise<void> {
    if (this.client.status === "wait") void this.client.connect().catch(() => {});
    await this.#ready(performance.now() + Math.max(this.#retryMs, betweenMs), true);
    const fault = this.#fault();
    if (fault !== undefined && this.client.status !== "ready") throw fault;
    if (fault?.message.includes("database with this number") === true) throw fault;
  }

  /**
   * Calls the server, again and again while it is away.
   *
   * @param work - Told whether an earlier try may have arrived.
   * @param patienceMs - How long an answer may take; asked when `work` has begun.
   */
  async call<T>(work: (again: boolean) => Promise<T>, patienceMs: () => number = () => this.answerMs): Promise<T> {
    const deadline = performance.now() + this.#retryMs;
    let again = false;
    for (;;) {
      if (this.client.status !== "ready") await this.#ready(deadline, false, again);
      try {
        return await this.#answered(work(again), patienceMs());
      } catch (error) {
        if (this.#isClosed) throw this.#unavailable(error, again);
        if (!isOutage(error)) throw configFault(error, this.shown) ?? error;
        again ||= maybeArrived(error);
        if (performance.now() + betweenMs >= deadline) throw this.#unavailable(error, again);
        await pause(betweenMs);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.client.off("error", this.#noteError);
    this.client.off("node error", this.#noteError);
    if (!this.#isOwn) return;
    this.client.on("error", () => {});
    this.client.disconnect();
  }

  readonly #noteError = (error: unknown): void => {
    this.#lastError = error;
  };

  #fault(): ConfigError | undefined {
    return this.#lastError === undefined ? undefined : configFault(this.#lastError, this.shown);
  }

  #unavailable(error: unknown, again: boolean): StoreUnavailableError {
    return unavailable(error, this.shown, { maybeWritten: again, isTls: this.#isTls });
  }

  /** Waits until the client may send. */
  async #ready(deadline: number, isFirst: boolean, again = false): Promise<void> {
    while (this.client.status !== "ready") {
      const fault = isFirst ? this.#fault() : undefined;
      if (fault !== undefined) throw fault;
      const left = deadline - performance.now();
      if (left <= 0 || this.#isClosed || this.client.status === "end") {
        throw this.#unavailable(this.#lastError ?? new Error("It does not answer"), again);
      }
      await this.#change(Math.min(left, betweenMs));
    }
  }

  /** One look for all that wait: during an outage there may be hundreds. */
  #change(ms: number): Promise<void> {
    this.#changing ??= new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.client.off("ready", done);
        this.#changing = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.client.on("ready", done);
    });
    return this.#changing;
  }

  /** A connection that went silent without an end is given up: a new one will tell. */
  #answered<T>(reply: Promise<T>, patienceMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        if (this.#isOwn) this.client.disconnect(true);
        this.#heardNothing();
        reject(new Error("Command timed out"));
      }, patienceMs);
      reply.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
