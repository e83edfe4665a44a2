import type { FailureNote, FromWorker, JobNote, JobReport, StoredNote, WorkerInit } from "../contracts/frames.js";
import type { RunningTask } from "../contracts/broker.js";
import type { Logger } from "../contracts/logger.js";
import type { WorkerStatus } from "../contracts/store.js";
import { toErrorRecord } from "../core/error-record.js";
import { logMessages } from "../core/log-messages.js";
import type { AbortReason } from "../core/execute.js";
import type { ChannelOptions, OpenChannel, WorkerChannel, WorkerExit } from "./channel.js";
import { DeadlineKeeper } from "./deadline-keeper.js";
import { Dispatcher } from "./dispatcher.js";
import type { Entry } from "./entry.js";
import { Expectations } from "./expectations.js";
import { nameOf } from "./failure-line.js";
import { recycleTurn } from "./recycle-turn.js";
import { Reserve } from "./reserve.js";
import { Tidings } from "./tidings.js";
import { describeExit, endsOfRemains } from "./worker-death.js";
import type { JobEnd } from "./worker-death.js";
import { WorkerSlot } from "./worker-slot.js";
import type { HeldJob } from "./worker-slot.js";

/** Pause before a worker that died while starting is started again, in milliseconds: first, and at most. */
const respawnPause = { first: 100, longest: 5_000 } as const;

/** How long a worker has to leave once it holds nothing, in milliseconds. */
const leaveMs = 2_000;
/** How long a worker may take to load its task modules, in milliseconds. */
const startLimitMs = 60_000;
const slowStart = "its modules were not loaded within 60 s. Look for a top-level await in what `tasks` matches.";

export interface PoolOptions {
  readonly size: number;
  readonly channel: ChannelOptions;
  readonly init: Omit<WorkerInit, "workerName">;
  readonly killAfterMs: number;
  readonly graceMs: number;
  /** There are error reporters. */
  readonly reports: boolean;
}

export interface PoolParts {
  readonly options: PoolOptions;
  readonly open: OpenChannel;
  readonly logger: Logger;
  readonly host: string;
  readonly monotonic: () => number;
  readonly now: () => number;
  /** A worker reported the end of a job. */
  readonly reported: (entry: Entry, report: JobReport, worker: string) => void;
  /** A worker ended with the job in it. */
  readonly ended: (entry: Entry, end: JobEnd) => void;
  readonly noted: (notes: readonly JobNote[]) => void;
  /** There may be room now, or work that is nobody's. */
  readonly changed: () => void;
}

/** The workers of a cluster: always as many as asked for, each handed what it can do soon, none beyond its deadlines. */
export class Pool {
  readonly reserve: Reserve = new Reserve();
  readonly expectations: Expectations = new Expectations();
  reincarnations = 0;
  readonly #parts: PoolParts;
  readonly #slots = new Map<string, WorkerSlot>();
  readonly #deadlines: DeadlineKeeper;
  readonly #dispatcher: Dispatcher;
  #tasks: readonly string[] = [];
  readonly #tidings = new Tidings();
  #wantsStored = false;
  #everReady = false;
  #stopping = false;
  #named = 0;
  #respawnPauseMs: number = respawnPause.first;
  #ready: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher({
      reserve: this.reserve,
      expectations: this.expectations,
      slots: () => this.#slots.values(),
      monotonic: parts.monotonic,
    });
    this.#deadlines = new DeadlineKeeper({
      killAfterMs: parts.options.killAfterMs,
      neighboursMs: parts.options.graceMs,
      monotonic: parts.monotonic,
      slots: () => this.#slots.values(),
    });
  }

  /** Resolves when all workers can work. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => (this.#ready = { resolve, reject }));
    for (let count = 0; count < this.#parts.options.size; count += 1) this.#spawn();
    await ready;
  }

  /** The names that the workers can run. */
  get tasks(): readonly string[] {
    return this.#tasks;
  }

  get places(): number {
    return this.#parts.options.size * this.#parts.options.channel.places;
  }

  get freePlaces(): number {
    return sum(this.#all(), (slot) => slot.freePlaces);
  }

  /** Tasks beyond the places: in the reserve, or handed to a worker ahead of time. */
  get inHand(): number {
    return this.reserve.size + sum(this.#all(), (slot) => Math.max(0, slot.held.size - slot.places));
  }

  /** Tasks handed to workers and not reported. */
  get held(): number {
    return sum(this.#all(), (slot) => slot.held.size);
  }

  get workers(): WorkerStatus[] {
    return this.#all().map((slot) => slot.status);
  }

  running(): RunningTask[] {
    const offset = this.#parts.now() - this.#parts.monotonic();
    return this.#all().flatMap((slot) => {
      slot.readMarks();
      return slot.running().map((held) => ({
        id: held.entry.delivery.id,
        startedAt: Math.round(held.startedAt! + offset),
        worker: this.address(slot),
      }));
    });
  }

  /** Hands out what waits, as far as workers may take it. */
  dispatch(): void {
    if (this.#stopping) return;
    this.#dispatcher.dispatch();
    this.#deadlines.watch();
  }

  /** Calls back what waits behind a long task, while somebody else could do it. */
  rebalance(): void {
    this.#dispatcher.rebalance();
  }

  /** Asks a task to stop. `false` when no worker has it. */
  abort(id: string, reason: AbortReason): boolean {
    for (const slot of this.#slots.values()) {
      const held = [...slot.held.values()].find((candidate) => candidate.entry.delivery.id === id);
      if (held !== undefined) {
        this.#abort(slot, held, reason);
        return true;
      }
    }
    return false;
  }

  abortAll(reason: AbortReason): void {
    for (const slot of this.#slots.values()) for (const held of slot.held.values()) this.#abort(slot, held, reason);
  }

  /** Everything that has not started comes back through `changed`, into the reserve. */
  recallAll(): void {
    for (const slot of this.#slots.values()) slot.channel.send({ t: "recall", count: slot.held.size });
  }

  /** Finished attempts, for the handlers of `postExecute`. */
  announce(finished: readonly StoredNote[]): void {
    this.#tidings.addStored(finished);
    this.#tidings.tell(this.#all());
  }

  /** A failure whose own worker is gone, for the error reporters. */
  reportFailure(failure: FailureNote): void {
    if (!this.#parts.options.reports) return;
    this.#tidings.addFailure(failure);
    this.#tidings.tell(this.#all());
  }

  /** Whether workers have `postExecute` handlers. */
  get wantsStored(): boolean {
    return this.#wantsStored;
  }

  /** Says to every worker that its supervisor lives. */
  beat(): void {
    for (const slot of this.#slots.values()) slot.channel.beat();
  }

  recycle(): void {
    for (const slot of this.#slots.values()) this.#retire(slot);
  }

  /** No replacements from here on. */
  stopReplacing(): void {
    this.#stopping = true;
  }

  /** Ends all workers: politely, and by force after `withinMs`. */
  async close(withinMs: number): Promise<void> {
    this.stopReplacing();
    for (const slot of this.#slots.values()) slot.channel.send({ t: "retire" });
    const timer = setTimeout(() => this.killAll(), withinMs);
    while (this.#slots.size > 0) await new Promise<void>((resolve) => (this.#gone = resolve));
    clearTimeout(timer);
    this.#deadlines.stop();
  }

  killAll(): void {
    for (const slot of this.#slots.values()) slot.channel.kill();
  }

  address(slot: WorkerSlot): string {
    return `${this.#parts.host}:${slot.channel.pid}`;
  }

  #gone: () => void = () => {};

  #all(): WorkerSlot[] {
    return [...this.#slots.values()];
  }

  #spawn(): void {
    const { options } = this.#parts;
    const name = `Process-${(this.#named += 1)}`;
    let channel: WorkerChannel;
    try {
      channel = this.#parts.open(options.channel, {
        frame: (frame) => this.#received(slot, frame),
        exit: (exit) => this.#exited(slot, exit),
      });
    } catch (error) {
      return this.#couldNotOpen(name, error);
    }
    const slot = new WorkerSlot(name, options.channel.places, channel);
    this.#slots.set(name, slot);
    const recycle = recycleTurn(this.#named, options.size, options.init.recycle);
    channel.send({ t: "init", init: { ...options.init, recycle, workerName: name } });
    channel.beat();
    setTimeout(() => slot.state === "starting" && this.#couldNotStart(slot, slowStart), startLimitMs).unref();
  }

  /** No process, descriptor or memory to be had: that may pass. */
  #couldNotOpen(name: string, error: unknown): void {
    const { message } = toErrorRecord(error);
    if (!this.#everReady) {
      this.#stopping = true;
      this.#ready?.reject(new Error(`Worker ${name} cannot start: ${message}`, { cause: error }));
      return;
    }
    this.#parts.logger.error(`Worker ${name} cannot start, trying again: ${message}`);
    this.#spawnLater();
  }

  #received(slot: WorkerSlot, frame: FromWorker): void {
    switch (frame.t) {
      case "ready":
        return this.#becameReady(slot, frame);
      case "broken":
        return this.#couldNotStart(slot, frame.error.stack ?? frame.error.message);
      case "done":
        return this.#done(slot, frame.reports);
      case "recalled":
        return this.#recalled(slot, frame.indexes);
      case "note":
        return this.#parts.noted(frame.notes);
      case "pong":
        return slot.pong(frame);
      case "retiring":
        slot.state = "retiring";
        this.#parts.logger.info(logMessages.recycled(slot.name), { why: frame.why });
        return this.#afterward(slot);
    }
  }

  #becameReady(slot: WorkerSlot, frame: FromWorker & { t: "ready" }): void {
    slot.state = "ready";
    slot.wantsStored = this.#wantsStored = frame.wantsStored;
    this.#tasks = frame.tasks;
    this.#parts.logger.info(logMessages.ready(slot.name, slot.channel.pid));
    this.#tidings.tell(this.#all());
    if (this.#all().every((other) => other.state !== "starting")) {
      this.#everReady = true;
      this.#ready?.resolve();
    }
    this.#parts.changed();
  }

  #couldNotStart(slot: WorkerSlot, reason: string): void {
    const error = new Error(`Worker ${slot.name} cannot start: ${reason}`);
    slot.channel.kill();
    if (this.#everReady) return this.#parts.logger.error(error.message);
    this.#stopping = true;
    this.#ready?.reject(error);
  }

  #done(slot: WorkerSlot, reports: readonly JobReport[]): void {
    this.#respawnPauseMs = respawnPause.first;
    slot.stalled = false;
    for (const report of reports) {
      const entry = slot.ended(report)?.entry;
      if (entry === undefined) continue;
      const { startedAt, stoppedAt } = report;
      if (startedAt !== null) this.expectations.learn(entry.header.func, stoppedAt - startedAt);
      this.#parts.reported(entry, report, this.address(slot));
    }
    this.#afterward(slot);
  }

  #recalled(slot: WorkerSlot, indexes: readonly number[]): void {
    const back = indexes.flatMap((index) => slot.release(index) ?? []);
    const now = this.#parts.monotonic();
    // One that was cancelled before it started comes back the same way; its ending is settled where cancels are.
    for (const held of back) held.entry.waitingSince = now;
    this.#putBack(back);
    this.#afterward(slot);
  }

  #putBack(back: readonly HeldJob[]): void {
    const cancelled = back.filter((held) => held.abort === "cancelled");
    for (const held of cancelled) this.#parts.ended(held.entry, { kind: "never-started", why: "cancelled" });
    // What was lost with its lease belongs to whoever takes it next.
    const ours = back.filter((held) => held.abort !== "cancelled" && held.abort !== "lost");
    this.reserve.putBack(ours.map((held) => held.entry));
  }

  #afterward(slot: WorkerSlot): void {
    if (slot.held.size === 0) {
      slot.exclusive = false;
      if (slot.state === "doomed") slot.channel.kill();
      if (slot.state === "retiring") setTimeout(() => slot.state === "dead" || slot.channel.kill(), leaveMs).unref();
    }
    this.#parts.changed();
  }

  #exited(slot: WorkerSlot, exit: WorkerExit): void {
    const before = slot.state;
    slot.state = "dead";
    this.#slots.delete(slot.name);
    const remains = slot.remains();
    const offset = this.#parts.now() - this.#parts.monotonic();
    const ends = endsOfRemains(remains, exit, { worker: this.address(slot), now: this.#parts.now(), offset });
    for (const [held, end] of ends) this.#parts.ended(held.entry, end);
    this.#putBack(
      remains.running.length === 0 && before === "ready" ? this.#suspectFirst(remains.unstarted) : remains.unstarted,
    );
    this.#gone();
    if (!this.#stopping) this.#replace(slot, before, remains.running[0], exit);
    this.#parts.changed();
  }

  /** Nothing ran: what the worker was about to start may have ended it. Returns the others. */
  #suspectFirst(unstarted: readonly HeldJob[]): readonly HeldJob[] {
    const [first, ...others] = unstarted;
    if (first === undefined || first.abort !== null) return unstarted;
    this.#parts.ended(first.entry, { kind: "suspect" });
    return others;
  }

  #replace(slot: WorkerSlot, before: string, task: HeldJob | undefined, exit: WorkerExit): void {
    if (before === "starting" && !this.#everReady) return this.#couldNotStart(slot, describeExit(exit));
    this.reincarnations += 1;
    if (before !== "retiring") {
      const during = task === undefined ? "" : ` while processing ${nameOf(task.entry)}`;
      const cause = task?.abort === "timeout" ? `timeout${during}` : `sudden death${during} (${describeExit(exit)})`;
      this.#parts.logger.error(logMessages.reincarnated(slot.name, cause));
    }
    // One that has done something may be replaced at once; others could die as fast as they are started.
    if (slot.done > 0 || before === "retiring") this.#spawn();
    else this.#spawnLater();
  }

  #spawnLater(): void {
    const pause = this.#respawnPauseMs;
    this.#respawnPauseMs = Math.min(pause * 2, respawnPause.longest);
    setTimeout(() => this.#stopping || this.#spawn(), pause);
  }

  #abort(slot: WorkerSlot, held: HeldJob, reason: AbortReason): void {
    if (held.abort !== null) return;
    slot.abort(held, reason, this.#parts.monotonic() + this.#parts.options.killAfterMs);
    this.#deadlines.watch();
  }

  #retire(slot: WorkerSlot): void {
    if (slot.state !== "ready") return;
    slot.state = "retiring";
    this.#parts.logger.info(logMessages.recycled(slot.name), { why: "order" });
    slot.channel.send({ t: "retire" });
  }
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
