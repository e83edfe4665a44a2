import type { Notification } from "pg";
import type { Connections } from "./connections.js";
import type { PoolClient } from "./driver.js";
import { channelOf } from "./statement.js";

/** How long a topic stays listened to after its last listener has gone, in milliseconds: takes come and go. */
const lingerMs = 2_000;
const firstPollMs = 50;
const slowestPollMs = 1_000;
/** How often the listening connection is tried, in milliseconds: one that broke in silence would never wake anybody. */
const pulseMs = 5_000;
/** The longest that a caller waits for its topic to be listened to, in milliseconds. Then it polls. */
const patienceMs = 1_000;

/** What may have changed. The numbers are those of the function `tell`. */
export const topics = { messages: 1, results: 2, orders: 3, schedules: 4 } as const;
export type Topic = keyof typeof topics;

interface TopicState {
  readonly listeners: Set<() => void>;
  /** Writers see that somebody listens. */
  isMarked: boolean;
  /** How often something may have changed. */
  changes: number;
  linger: NodeJS.Timeout | undefined;
}

/**
 * Tells listeners that somebody has written: by notifications on one connection while there are listeners, and by looking
 * again and again, ever more slowly, where there is no such connection.
 */
export class WakeUp {
  readonly #connections: Connections;
  readonly #project: () => Promise<number>;
  readonly #topics: Readonly<Record<Topic, TopicState>> = {
    messages: newState(),
    results: newState(),
    orders: newState(),
    schedules: newState(),
  };
  #client: PoolClient | undefined;
  #working: Promise<void> | undefined;
  #isAskedAgain = false;
  #poll: NodeJS.Timeout | undefined;
  #pollMs = firstPollMs;
  #pulse: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(connections: Connections, project: () => Promise<number>) {
    this.#connections = connections;
    this.#project = project;
  }

  /** Calls `listener` after each change of that kind, and perhaps without one. Call the result to stop. */
  listen(topic: Topic, listener: () => void): () => void {
    const own = (): void => listener();
    const state = this.#topics[topic];
    clearTimeout(state.linger);
    state.linger = undefined;
    state.listeners.add(own);
    this.#pollMs = firstPollMs;
    this.#work();
    return () => {
      if (!state.listeners.delete(own) || state.listeners.size > 0 || this.#isEnded) return;
      state.linger = setTimeout(() => {
        state.linger = undefined;
        this.#work();
      }, lingerMs).unref();
    };
  }

  /** Whether what is written now wakes the topic's listeners, and those that come soon. */
  isListening(topic: Topic): boolean {
    return this.#topics[topic].isMarked;
  }

  /** Resolves when what is written from now on wakes the topic's listeners, or when they are woken by polls. */
  async ready(topic: Topic): Promise<void> {
    if (this.isListening(topic)) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
    await Promise.race([this.#working, patience]);
    clearTimeout(timer);
  }

  /** Changes with each change that this process has heard of; as long as the topic is listened to, those are all. */
  changes(topic: Topic): number {
    return this.#topics[topic].changes;
  }

  /** This process has written. */
  changed(topic: Topic): void {
    this.#topics[topic].changes += 1;
    for (const listener of this.#topics[topic].listeners) listener();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#poll);
    for (const state of this.#all()) clearTimeout(state.linger);
    this.#drop();
    this.#changedAll();
    for (const state of this.#all()) state.listeners.clear();
    await this.#working;
  }

  /** Brings the connection into line with what is listened to: one run at a time, one more when asked meanwhile. */
  #work(): void {
    if (this.#isEnded) return;
    if (this.#working !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    // It may take long, behind a network that went silent.
    this.#planPoll();
    this.#working = this.#settle().finally(() => {
      this.#working = undefined;
      if (this.#isAskedAgain) this.#work();
      else this.#planPoll();
      this.#isAskedAgain = false;
    });
  }

  async #settle(): Promise<void> {
    const isWanted = this.#all().some(isListenedTo);
    try {
      if (!isWanted) return this.#drop();
      this.#client ??= await this.#open();
      if (this.#client !== undefined) await this.#mark(this.#client);
    } catch {
      // The server is away, or the connection broke: polls go on, and try again.
      this.#drop();
    }
  }

  async #open(): Promise<PoolClient | undefined> {
    const project = await this.#project();
    if (!this.#connections.canListen) return undefined;
    const client = await this.#connections.hold();
    client.on("notification", (told) => this.#notified(told, project));
    client.on("error", () => this.#broke(client));
    client.on("end", () => this.#broke(client));
    if (this.#isEnded) {
      client.release(true);
      return undefined;
    }
    this.#client = client;
    this.#pulse = setInterval(() => void this.#beat(client), pulseMs).unref();
    await client.query(`LISTEN "${channelOf(this.#connections.schema)}"`);
    this.#changedAll();
    return client;
  }

  /** Holds a lock in shared mode for each topic that has listeners. A writer holds it alone to the end of its transaction. */
  async #mark(client: PoolClient): Promise<void> {
    const project = await this.#project();
    for (const [topic, number] of Object.entries(topics)) {
      const state = this.#topics[topic as Topic];
      const isWanted = isListenedTo(state);
      if (isWanted === state.isMarked) continue;
      const call = isWanted ? "pg_try_advisory_lock_shared" : "pg_advisory_unlock_shared";
      const { rows } = await client.query<{ done: boolean }>(`SELECT ${call}(hashtext($1), $2) AS done`, [
        channelOf(this.#connections.schema),
        project * 4 + number,
      ]);
      state.isMarked = isWanted && rows[0]?.done === true;
    }
  }

  #notified({ payload }: Notification, project: number): void {
    const [of, number] = (payload ?? "").split(":");
    if (Number(of) !== project) return;
    for (const [topic, own] of Object.entries(topics)) if (own === Number(number)) this.changed(topic as Topic);
  }

  async #beat(client: PoolClient): Promise<void> {
    const late = setTimeout(() => this.#broke(client), pulseMs).unref();
    await client.query("SELECT 1").catch(() => this.#broke(client));
    clearTimeout(late);
  }

  #broke(client: PoolClient): void {
    if (this.#client !== client) return;
    this.#drop();
    this.#pollMs = firstPollMs;
    this.#planPoll();
  }

  #drop(): void {
    clearInterval(this.#pulse);
    for (const state of this.#all()) state.isMarked = false;
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    client.removeAllListeners("notification");
    // Its locks and its LISTEN would stay with it, so it is not given back to others.
    client.release(true);
  }

  /** Where notifications do not reach every listener, all of them look by themselves. Each look tries to listen again. */
  #planPoll(): void {
    clearTimeout(this.#poll);
    this.#poll = undefined;
    const isBlind = this.#all().some((state) => isListenedTo(state) && !state.isMarked);
    if (this.#isEnded || !isBlind) return;
    this.#poll = setTimeout(() => {
      this.#pollMs = Math.min(this.#pollMs * 1.5, slowestPollMs);
      for (const topic of Object.keys(topics) as Topic[]) if (!this.#topics[topic].isMarked) this.changed(topic);
      this.#work();
      this.#planPoll();
    }, this.#pollMs).unref();
  }

  #changedAll(): void {
    for (const topic of Object.keys(topics) as Topic[]) this.changed(topic);
  }

  #all(): TopicState[] {
    return Object.values(this.#topics);
  }
}

function newState(): TopicState {
  return { listeners: new Set(), isMarked: false, changes: 0, linger: undefined };
}

function isListenedTo({ listeners, linger }: TopicState): boolean {
  return listeners.size > 0 || linger !== undefined;
}
