import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { RedisClient } from "./client.js";
import type { RedisProject } from "./project.js";

/** Tasks in a queue (`q:` and its name), any change in the store but to schedules, or the plan: schedules. */
export type Topic = `q:${string}` | "store" | "plan";

/** How long the server remembers that we wait, unless it is told again, in milliseconds. */
const rememberedMs = 60_000;
/** One blocking read, in seconds; then the server is told again. */
const readS = 10;
/** A read that has not ended so long after its time has lost its connection, in milliseconds. */
const lateMs = 5_000;
/** How long we stay registered after the last listener has gone, in milliseconds: takes come and go. */
const lingerMs = 2_000;

/** Tells listeners that something they wait for has changed, by a blocking read on a list of this process's own. */
export class WakeUp {
  readonly #project: RedisProject;
  readonly #newClient: () => RedisClient;
  readonly #id = randomBytes(9).toString("base64url");
  readonly #listeners = new Map<() => void, readonly Topic[]>();
  /** Topics the server knows of, and when it was told. */
  readonly #registered = new Map<Topic, number>();
  #reader: RedisClient | undefined;
  #loop: Promise<void> | undefined;
  #linger: NodeJS.Timeout | undefined;
  #isEnded = false;
  /** How often anybody was told. */
  rings = 0;

  constructor(project: RedisProject, newClient: () => RedisClient) {
    this.#project = project;
    this.#newClient = newClient;
  }

  /** Whether a change in one of these would have been heard lately. */
  covers(topics: readonly Topic[]): boolean {
    return this.#loop !== undefined && topics.every((topic) => this.#registered.has(topic));
  }

  /** Calls `heard` after each change, and perhaps without one. Resolves when nothing can be missed any more. */
  async listen(topics: readonly Topic[], heard: () => void): Promise<() => void> {
    const { stop, registered } = this.#listen(topics, heard);
    await registered;
    return stop;
  }

  /** The same for those who cannot wait: what they missed until then is told by one call. */
  watch(topic: "store" | "plan", changed: () => void): () => void {
    let isOver = false;
    const heard = (): void => {
      if (!isOver) changed();
    };
    const isKnown = this.#registered.has(topic);
    const { stop, registered } = this.#listen([topic], heard);
    if (!isKnown) void registered.then(heard);
    return () => {
      isOver = true;
      stop();
    };
  }

  #listen(topics: readonly Topic[], heard: () => void): { stop: () => void; registered: Promise<void> } {
    const own = (): void => heard();
    this.#listeners.set(own, topics);
    clearTimeout(this.#linger);
    const missing = topics.filter((topic) => !this.#registered.has(topic));
    // Whoever waits looks again by itself if the server cannot be told now; the loop tells it later.
    const registered = missing.length === 0 ? Promise.resolve() : this.#register(missing).catch(() => {});
    if (!this.#isEnded) this.#loop ??= this.#read().finally(() => (this.#loop = undefined));
    return { registered, stop: () => this.#forget(own) };
  }

  /** The connection may have broken without a word: reads anew, and tells everybody to look. */
  reconnect(): void {
    this.#reader?.disconnect(true);
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#linger);
    this.#reader?.disconnect();
    this.#ring(() => true);
    this.#listeners.clear();
  }

  #forget(own: () => void): void {
    if (!this.#listeners.delete(own) || this.#listeners.size > 0 || this.#isEnded) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#leave(), lingerMs).unref();
  }

  #leave(): void {
    const topics = [...this.#registered.keys()];
    this.#registered.clear();
    void this.#project.run("listen", [this.#id, 0, ...topics]).catch(() => {});
  }

  async #register(topics: readonly Topic[]): Promise<void> {
    await this.#project.run("listen", [this.#id, rememberedMs, ...topics]);
    for (const topic of topics) this.#registered.set(topic, performance.now());
  }

  async #read(): Promise<void> {
    const lists = ["q", "s", "p"].map((kind) => `${this.#project.prefix}wake:${kind}:${this.#id}`);
    while (!this.#isEnded) {
      try {
        const told = await this.#next(lists);
        await this.#renew();
        if (told !== null) this.#ring((topic) => told.endsWith(`wake:${topic[0]}:${this.#id}`));
      } catch {
        await this.#recover();
      }
    }
  }

  async #next(lists: readonly string[]): Promise<string | null> {
    const reader = (this.#reader ??= this.#connect());
    const guard = setTimeout(() => reader.disconnect(true), readS * 1_000 + lateMs).unref();
    try {
      const told = await reader.blpop(...lists, readS);
      return told?.[0] ?? null;
    } finally {
      clearTimeout(guard);
    }
  }

  #connect(): RedisClient {
    const reader = this.#newClient();
    // Every failure shows in the read itself.
    reader.on("error", () => {});
    return reader;
  }

  /** The server may have forgotten who waits, and changes may have been missed. */
  async #recover(): Promise<void> {
    if (this.#isEnded) return;
    await pause(100, undefined, { ref: false });
    const topics = this.#wanted();
    this.#registered.clear();
    if (topics.length > 0) await this.#register(topics).catch(() => {});
    this.#ring(() => true);
  }

  async #renew(): Promise<void> {
    const before = performance.now() - readS * 1_000;
    const stale = this.#wanted().filter((topic) => (this.#registered.get(topic) ?? 0) <= before);
    if (stale.length > 0) await this.#register(stale);
  }

  #wanted(): Topic[] {
    return [...new Set([...this.#listeners.values()].flat())];
  }

  #ring(isMeant: (topic: Topic) => boolean): void {
    this.rings += 1;
    for (const [heard, topics] of this.#listeners) if (topics.some(isMeant)) heard();
  }
}
