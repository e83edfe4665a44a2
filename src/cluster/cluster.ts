import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Backend } from "../contracts/backend.js";
import type { Consumer, Delivery } from "../contracts/broker.js";
import type { Logger } from "../contracts/logger.js";
import type { ClusterOrder, ClusterState, ClusterStatus } from "../contracts/store.js";
import { toErrorRecord } from "../core/error-record.js";
import { humanName, makeId } from "../core/ids.js";
import { logMessages } from "../core/log-messages.js";
import type { RunPolicy } from "../core/settle.js";
import { StoreUnavailableError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { packageVersion } from "../options/package-version.js";
import { drained } from "./drain.js";
import { dispatchLimits, wanted } from "./dispatch.js";
import { Endings } from "./endings.js";
import type { ClusterProgress } from "./endings.js";
import { entryOf } from "./entry.js";
import type { Entry } from "./entry.js";
import { Fetcher } from "./fetcher.js";
import { Heartbeat } from "./heartbeat.js";
import { startHousekeeping } from "./housekeeping.js";
import { Notes } from "./notes.js";
import { openClusterBackend } from "./open-cluster-backend.js";
import { Outage } from "./outage.js";
import { Pool } from "./pool.js";
import { poolOptions, channelFor } from "./pool-options.js";
import { Recorder } from "./recorder.js";

export interface StopReport {
  /** Results that could not be stored: those tasks run again. */
  readonly unstored: number;
  /** Tasks that were given back, unfinished. */
  readonly released: number;
  /** Why it stopped by itself. */
  readonly error?: Error;
}

/** One running process tree that serves queues. Counterpart in Django Q2: `django_q.cluster.Cluster`. */
export interface Cluster extends AsyncDisposable {
  /** 32 hexadecimal digits; `humanName(id)` is its name in the log. */
  readonly id: string;
  /** Resolves to the process id when all workers can work. Rejects when it cannot start. */
  readonly start: () => Promise<number>;
  /**
   * Takes nothing new, lets what is in memory finish within `grace`, gives the rest back. Harmless when called twice: the
   * second call hurries.
   */
  readonly stop: () => Promise<StopReport>;
  /** Settles when the cluster has stopped, for whatever reason. */
  readonly stopped: Promise<StopReport>;
  /** Counterpart in Django Q2: `Cluster.stat`. */
  readonly stat: () => ClusterStatus;
  /** Resolves when the queues have nothing left to do within a minute, and nothing runs. */
  readonly drained: () => Promise<void>;
  readonly progress: () => ClusterProgress;
}

const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;
/** How often a cluster with work looks whether something waits too long, in milliseconds. */
const tickMs = 25;
/** How long workers have to leave by themselves, in milliseconds. */
const leaveMs = 2_000;

/** @param backend - Given by tests and by applications that share theirs; it is not closed with the cluster. */
export function createCluster(config: ResolvedConfig, logger: Logger, backend?: Backend): Cluster {
  return new Supervisor(config, logger, backend);
}

/** The parent of a cluster: owns fetcher, recorder, heartbeat and pool, and runs nothing of the user's. */
class Supervisor implements Cluster {
  readonly id: string = makeId(Date.now(), randomBytes(10));
  readonly stopped: Promise<StopReport>;
  readonly #config: ResolvedConfig;
  readonly #logger: Logger;
  readonly #defaults: RunPolicy;
  readonly #outage: Outage;
  readonly #pool: Pool;
  readonly #tob = Date.now();
  readonly #givenBackend: Backend | undefined;
  #backend!: Backend;
  #consumer!: Consumer;
  #recorder!: Recorder;
  #endings!: Endings;
  #fetcher!: Fetcher;
  #heartbeat!: Heartbeat;
  #notes!: Notes;
  #endHousekeeping: () => void = () => {};
  #state: ClusterState = "Starting";
  #released = 0;
  #tick: NodeJS.Timeout | undefined;
  #dispatchPlanned = false;
  /** Given back because nobody here had time: nothing is taken until a place is free. */
  #satisfied = false;
  #leaseRenewing = false;
  #stopping: Promise<StopReport> | undefined;
  #hurry: () => void = () => {};
  #quiet: () => void = () => {};
  #settleStopped!: (report: StopReport) => void;

  constructor(config: ResolvedConfig, logger: Logger, backend: Backend | undefined) {
    this.#config = config;
    this.#logger = logger;
    this.#givenBackend = backend;
    this.#defaults = { ...config, timeoutMs: config.timeoutMs, save: config.save };
    this.#outage = new Outage(logger, config.leaseMs, Math.random);
    this.stopped = new Promise((resolve) => (this.#settleStopped = resolve));
    this.#pool = new Pool({
      options: poolOptions(config),
      open: channelFor(config, logger),
      logger,
      host: hostname(),
      monotonic,
      now: Date.now,
      reported: (entry, report, worker) => this.#endings.reported(entry, report, worker),
      ended: (entry, end) => this.#endings.ended(entry, end),
      noted: (notes) => this.#notes.add(notes),
      changed: () => this.#planDispatch(),
      broken: () => {},
    });
  }

  readonly start = async (): Promise<number> => {
    const name = humanName(this.id);
    this.#logger.info(logMessages.starting(name));
    try {
      this.#backend = this.#givenBackend ?? (await openClusterBackend(this.#config));
      await this.#startParts();
      await this.#pool.start();
    } catch (error) {
      await this.#abandonStart();
      throw error;
    }
    // Nothing is taken before somebody can run it.
    this.#state = "Idle";
    this.#fetcher.start();
    await this.#heartbeat.start();
    this.#logger.info(logMessages.guarding("Supervisor", name, [...this.#config.queues.keys()]));
    this.#logger.info(logMessages.running(name));
    return process.pid;
  };

  readonly stop = (): Promise<StopReport> => {
    if (this.#stopping !== undefined) this.#hurry();
    return (this.#stopping ??= this.#stop(undefined));
  };

  readonly drained = (): Promise<void> =>
    drained({
      broker: this.#backend.broker,
      queues: [...this.#config.queues.keys()],
      busy: () => this.#pool.held + this.#pool.reserve.size + this.#recorder.size > 0 || !this.#fetcher.waiting,
      stopped: this.stopped,
    });

  readonly progress = (): ClusterProgress => this.#endings.progress;

  readonly stat = (): ClusterStatus => ({
    clusterId: this.id,
    name: this.#config.clusterName,
    host: hostname(),
    pid: process.pid,
    tob: this.#tob,
    timestamp: Date.now(),
    status: this.#state === "Idle" && this.#pool.held + this.#recorderSize() > 0 ? "Working" : this.#state,
    queues: [...this.#config.queues.keys()],
    workers: this.#pool.workers,
    reincarnations: this.#pool.reincarnations,
    taskQueueSize: this.#pool.reserve.size,
    doneQueueSize: this.#recorderSize(),
    running: this.#pool.running(),
    tasks: this.#pool.tasks,
    isolation: this.#config.isolation,
    version: packageVersion(),
    rssBytes: process.memoryUsage.rss(),
  });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #recorderSize(): number {
    return this.#recorder?.size ?? 0;
  }

  async #startParts(): Promise<void> {
    const { store } = this.#backend;
    this.#consumer = await this.#consume();
    const fatal = (error: unknown): void => this.#fatal(error);
    const leaseLost = (consumer: Consumer): void => void this.#leaseLost(consumer);
    this.#recorder = new Recorder(store, this.#outage, fatal);
    this.#notes = new Notes(store, this.#logger);
    this.#endings = new Endings({
      recorder: this.#recorder,
      logger: this.#logger,
      unknownForMs: this.#config.unknownForMs,
      maxDeliveries: this.#config.maxDeliveries,
      knownTasks: () => this.#pool.tasks,
      giveBack: (entries, delayMs) => this.#giveBack(entries, delayMs),
      wantsStored: () => this.#pool.wantsStored,
      announce: (finished) => this.#pool.announce({ t: "stored", finished }),
    });
    this.#fetcher = new Fetcher(this.#consumer, {
      queues: this.#config.queues,
      outage: this.#outage,
      wanted: () => this.#wanted(),
      accept: (deliveries, consumer) => this.#accept(deliveries, consumer),
      leaseLost,
      fatal,
    });
    this.#heartbeat = new Heartbeat(this.#consumer, {
      store,
      clusterId: this.id,
      leaseMs: this.#config.leaseMs,
      outage: this.#outage,
      status: this.stat,
      running: () => this.#pool.running(),
      beatWorkers: () => this.#pool.beat(),
      ordered: (order) => this.#ordered(order),
      leaseLost,
      fatal,
    });
    this.#endHousekeeping = startHousekeeping(store, this.#config.retention, this.#logger);
  }

  async #abandonStart(): Promise<void> {
    this.#state = "Stopped";
    this.#endHousekeeping();
    this.#pool.killAll();
    await this.#pool.close(0);
    await this.#consumer?.close().catch(() => {});
    if (this.#givenBackend === undefined) await this.#backend?.[Symbol.asyncDispose]();
  }

  async #consume(): Promise<Consumer> {
    return await this.#backend.broker.consume({
      queues: [...this.#config.queues.keys()],
      leaseMs: this.#config.leaseMs,
      cluster: { id: this.id, host: hostname(), pid: process.pid },
    });
  }

  // --- taking and handing out

  #wanted(): number {
    if (this.#stopping !== undefined || this.#leaseRenewing) return 0;
    const room = this.#config.queueLimit - this.#pool.held - this.#pool.reserve.size - this.#recorder.size;
    const { freePlaces, places, inHand } = this.#pool;
    if (this.#satisfied && freePlaces === 0) return 0;
    this.#satisfied = false;
    const averageMs = this.#pool.expectations.overall;
    const limit = Math.max(room, 0);
    return limit === 0 ? 0 : wanted({ freePlaces, places, inHand, averageMs, limit });
  }

  #accept(deliveries: readonly Delivery[], consumer: string): void {
    const now = monotonic();
    const entries = deliveries.map((delivery) => entryOf(delivery, consumer, this.#defaults, now));
    const runnable = entries.filter((entry) => !this.#endings.refuse(entry));
    this.#pool.reserve.add(runnable);
    this.#planDispatch();
  }

  /** Once a turn, however many reports came in it. */
  #planDispatch(): void {
    if (this.#dispatchPlanned) return;
    this.#dispatchPlanned = true;
    queueMicrotask(() => {
      this.#dispatchPlanned = false;
      this.#pool.dispatch();
      this.#fetcher?.wake();
      if (this.#pool.held + this.#pool.reserve.size === 0) this.#quiet();
      else this.#tick ??= setInterval(() => this.#onTick(), tickMs);
    });
  }

  #onTick(): void {
    if (this.#pool.held + this.#pool.reserve.size === 0) {
      clearInterval(this.#tick);
      this.#tick = undefined;
      return;
    }
    this.#pool.rebalance();
    const oldest = this.#pool.reserve.oldest();
    if (oldest === undefined || this.#pool.freePlaces > 0 || this.#leaseRenewing) return;
    if (monotonic() - oldest > dispatchLimits.patienceMs) {
      // Somebody else may have time; and when a place is free here, what matters most then is taken.
      this.#satisfied = true;
      this.#giveBack(this.#pool.reserve.clear());
    }
  }

  #giveBack(entries: readonly Entry[], delayMs = 0): void {
    const ours = entries.filter((entry) => entry.consumer === this.#consumer.id);
    if (ours.length === 0) return;
    this.#consumer
      .release(
        ours.map((entry) => entry.delivery.receipt),
        { delayMs },
      )
      .catch((error: unknown) => {
        // The lease gives them back, later.
        if (!(error instanceof StoreUnavailableError)) this.#logger.warn("Messages could not be given back", { error });
      });
  }

  // --- lease, orders, faults

  /** What we held may run elsewhere: stop it here, and go on under a new hold. */
  async #leaseLost(lost: Consumer): Promise<void> {
    if (this.#leaseRenewing || lost !== this.#consumer || this.#stopping !== undefined) return;
    this.#leaseRenewing = true;
    this.#logger.error("The lease was lost: what this cluster holds is given up, and it goes on under a new one.");
    this.#pool.reserve.clear();
    this.#pool.abortAll("lost");
    while (this.#stopping === undefined) {
      try {
        this.#consumer = await this.#consume();
        break;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) return this.#fatal(error);
        await this.#outage.wait(error);
      }
    }
    this.#leaseRenewing = false;
    this.#heartbeat.useConsumer(this.#consumer);
    this.#fetcher.useConsumer(this.#consumer);
  }

  #ordered(order: ClusterOrder): void {
    switch (order.order) {
      case "cancel":
        return this.#cancel(order.id);
      case "recycle":
        return this.#pool.recycle();
      case "stop":
        void this.stop();
    }
  }

  #cancel(id: string): void {
    const waiting = this.#pool.reserve.remove(id);
    if (waiting !== undefined) this.#endings.ended(waiting, { kind: "never-started", why: "cancelled" });
    else this.#pool.abort(id, "cancelled");
  }

  #fatal(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(toErrorRecord(error).message);
    if (this.#stopping !== undefined) return;
    this.#logger.error(`The cluster cannot go on: ${reason.message}`, { error: reason });
    this.#stopping = this.#stop(reason);
  }

  // --- stop

  async #stop(error: Error | undefined): Promise<StopReport> {
    const name = humanName(this.id);
    // Everything below reads `#stopping`; let the caller set it first.
    await Promise.resolve();
    this.#logger.info(logMessages.stopping(name));
    this.#state = "Stopping";
    const hurried = new Promise<void>((resolve) => (this.#hurry = resolve));
    await this.#fetcher?.stop();
    this.#logger.info(logMessages.stoppedPushing("Supervisor"));
    this.#releaseReserve();
    this.#pool.recallAll();
    if (error === undefined) await Promise.race([this.#finished(), hurried, elapsed(this.#config.graceMs)]);
    await this.#endRunning();
    this.#logger.info(logMessages.waitingForMonitor("Supervisor"));
    await Promise.race([
      this.#recorder.drained(),
      hurried,
      elapsed(error === undefined ? this.#config.graceMs : leaveMs),
    ]);
    const unstored = this.#recorder.abandon();
    await this.#pool.close(leaveMs);
    await this.#leave();
    this.#state = "Stopped";
    this.#logger.info(logMessages.stopped(name));
    const report = {
      unstored,
      released: this.#released + this.#endings.released,
      ...(error === undefined ? {} : { error }),
    };
    this.#settleStopped(report);
    return report;
  }

  #releaseReserve(): void {
    const entries = this.#pool.reserve.clear();
    this.#released += entries.length;
    this.#giveBack(entries);
  }

  /** Resolves when no worker holds a task; what comes back unstarted meanwhile is given back at once. */
  async #finished(): Promise<void> {
    while (this.#pool.held > 0) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve;
        setTimeout(resolve, tickMs);
      });
      this.#releaseReserve();
    }
  }

  /** Asks what still runs to stop, then ends it; its attempts are on record as released. */
  async #endRunning(): Promise<void> {
    this.#pool.stopReplacing();
    if (this.#pool.held === 0) return;
    this.#pool.abortAll("stopped");
    await Promise.race([this.#finished(), elapsed(this.#config.killAfterMs + leaveMs)]);
    this.#releaseReserve();
  }

  async #leave(): Promise<void> {
    clearInterval(this.#tick);
    this.#heartbeat.stop();
    this.#endHousekeeping();
    const goodbye = async (): Promise<void> => {
      await this.#notes.flush();
      await this.#consumer.close();
      await this.#backend.store.beat({ ...this.stat(), status: "Stopped" }, 1);
    };
    // A store that is away must not keep us: the lease gives everything back.
    await Promise.race([goodbye().catch(() => {}), elapsed(leaveMs)]);
    if (this.#givenBackend === undefined) await Promise.race([this.#backend[Symbol.asyncDispose](), elapsed(leaveMs)]);
  }
}

async function elapsed(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
}
