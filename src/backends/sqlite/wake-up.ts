import { watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

/** From a write to the log until its commit can be seen, in milliseconds. */
const commitMs = 3;
/** At most one wake-up in this time, in milliseconds. The first one comes at once. */
const quietMs = 5;
/** How long the file stays watched after the last listener has gone, in milliseconds: takes come and go. */
const lingerMs = 2_000;
const firstPollMs = 50;
const slowestPollMs = 1_000;

interface WakeUpOptions {
  /** The database file; its `-wal` file is what changes. */
  readonly file: string;
  /** Changes when another connection has written. */
  readonly dataVersion: () => number;
  /** Whether file events are complete and quick here. Where they are not, a slow poll stands behind them. */
  readonly trustEvents: boolean;
}

/** Tells listeners that somebody has written to the file: this connection at once, others by watching it. */
export class WakeUp {
  readonly #options: WakeUpOptions;
  readonly #listeners = new Set<() => void>();
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #pollMs = firstPollMs;
  #linger: NodeJS.Timeout | undefined;
  #early: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #isDue = false;
  #seen = -1;
  #isEnded = false;

  constructor(options: WakeUpOptions) {
    this.#options = options;
  }

  /** Calls `listener` after each change, and perhaps without one. Call the result to stop. */
  listen(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#start();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#lingerThenStop();
    };
  }

  /** This connection has written. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Whether changes by other processes are pushed, or found by looking again and again. */
  get isPushed(): boolean {
    if (this.#watcher !== undefined) return true;
    this.#start();
    const pushed = this.#watcher !== undefined;
    // Who only enqueues listens to nobody: each of its writes would come back to it as events.
    if (this.#listeners.size === 0) this.#stop();
    return pushed;
  }

  end(): void {
    this.#isEnded = true;
    this.#stop();
    this.changed();
    this.#listeners.clear();
  }

  #start(): void {
    clearTimeout(this.#linger);
    if (this.#isEnded || this.#watcher !== undefined || this.#poll !== undefined) return;
    this.#seen = this.#version();
    this.#watch();
    if (this.#watcher === undefined || !this.#options.trustEvents) this.#pollSoon();
  }

  #watch(): void {
    const { file } = this.#options;
    const wal = `${basename(file)}-wal`;
    try {
      this.#watcher = watch(dirname(file), { persistent: false }, (_, name) => {
        if (name !== null && name !== wal) return;
        if (!this.#look()) this.#lookOnceMore();
      });
      this.#watcher.on("error", () => this.#fallBack());
    } catch {
      // No more watches to be had, or a file system without them.
      this.#watcher = undefined;
    }
  }

  #fallBack(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    if (!this.#isEnded && this.#poll === undefined) this.#pollSoon();
  }

  #pollSoon(): void {
    this.#poll = setTimeout(() => {
      this.#pollMs = this.#look() ? firstPollMs : Math.min(this.#pollMs * 1.5, slowestPollMs);
      this.#pollSoon();
    }, this.#pollMs).unref();
  }

  /** Own writes come back as events too; the version tells them apart from those of others. */
  #look(): boolean {
    if (this.#quiet !== undefined) {
      this.#isDue = true;
      return false;
    }
    const version = this.#version();
    if (version === this.#seen) return false;
    this.#seen = version;
    this.#quiet = setTimeout(() => this.#lookAgain(), quietMs).unref();
    this.changed();
    return true;
  }

  /** A write to the log is seen before the commit that it belongs to: whoever looks too early must look once more. */
  #lookOnceMore(): void {
    this.#early ??= setTimeout(() => {
      this.#early = undefined;
      this.#look();
    }, commitMs).unref();
  }

  #lookAgain(): void {
    this.#quiet = undefined;
    if (this.#isDue) this.#look();
    this.#isDue = false;
  }

  #version(): number {
    try {
      return this.#options.dataVersion();
    } catch {
      return -1;
    }
  }

  #lingerThenStop(): void {
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#stop(), lingerMs).unref();
  }

  #stop(): void {
    clearTimeout(this.#linger);
    clearTimeout(this.#poll);
    clearTimeout(this.#quiet);
    clearTimeout(this.#early);
    this.#early = undefined;
    this.#poll = undefined;
    this.#quiet = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
