import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Backend } from "../contracts/backend.js";
import type { Consumer } from "../contracts/broker.js";
import type { Logger } from "../contracts/logger.js";
import type { ClusterOrder, ClusterState, ClusterStatus } from "../contracts/store.js";
import { cancelTask } from "../core/cancelled-task.js";
import { toErrorRecord } from "../core/error-record.js";
import { humanName, makeId } from "../core/ids.js";
import { logMessages } from "../core/log-messages.js";
import { StoreUnavailableError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import { monotonic } from "../worker/monotonic.js";
import { drained } from "./drain.js";
import { clusterStatus } from "./cluster-status.js";
import type { Cluster, StopReport } from "./cluster.js";
import { Endings } from "./endings.js";
import type { ClusterProgress } from "./endings.js";
import { Fetcher } from "./fetcher.js";
import { Heartbeat } from "./heartbeat.js";
import { startBackground } from "./background.js";
import { Intake } from "./intake.js";
import { Notes } from "./notes.js";
import { openClusterBackend } from "./open-cluster-backend.js";
import { Outage } from "./outage.js";
import { Pool } from "./pool.js";
import { poolOptions, channelFor } from "./pool-options.js";
import { Recorder } from "./recorder.js";

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
  readonly #outage: Outage;
  readonly #pool: Pool;
  readonly #tob = Date.now();
  readonly #givenBackend: Backend | undefined;
  #backend!: Backend;
  #consumer!: Consumer;
  #recorder!: Recorder;
  #endings!: Endings;
  #intake!: Intake;
  #fetcher!: Fetcher;
  #heartbeat!: Heartbeat;
  #notes!: Notes;
  #endBackground: () => void = () => {};
  #state: ClusterState = "Starting";
  #released = 0;
  #unstored = 0;
  #failure: Error | undefined;
  #tick: NodeJS.Timeout | undefined;
  #beats: NodeJS.Timeout | undefined;
  #dispatchPlanned = false;
  #starting: Promise<number> | undefined;
  #stopping: Promise<StopReport> | undefined;
  #hurry: () => void = () => {};
  #quiet: () => void = () => {};
  #settleStopped!: (report: StopReport) => void;

  constructor(config: ResolvedConfig, logger: Logger, backend: Backend | undefined) {
    this.#config = config;
    this.#logger = logger;
    this.#givenBackend = backend;
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
    });
  }

  readonly start = async (): Promise<number> => {
    if (this.#starting === undefined && this.#stopping !== undefined)
      throw new Error("This cluster was stopped. Create another one.");
    return await (this.#starting ??= this.#start());
  };

  async #start(): Promise<number> {
    const name = humanName(this.id);
    this.#logger.info(logMessages.starting(name));
    // By a timer of their own: neither modules that load for long nor a slow store make this process silent.
    this.#beats = setInterval(() => this.#pool.beat(), this.#config.leaseMs / 6);
    try {
      await this.#open();
      await this.#startParts();
    } catch (error) {
      await this.#abandonStart();
      if (this.#stopping !== undefined) return process.pid;
      throw error;
    }
    this.#state = "Idle";
    // Told to stop meanwhile: it takes nothing.
    if (this.#stopping === undefined) this.#fetcher.start();
    await this.#heartbeat.start();
    this.#logger.info(logMessages.guarding("Supervisor", name, [...this.#config.queues.keys()]));
    this.#logger.info(logMessages.running(name));
    return process.pid;
  }

  readonly stop = (): Promise<StopReport> => {
    if (this.#stopping !== undefined) this.#hurry();
    return (this.#stopping ??= this.#stop());
  };

  readonly drained = (): Promise<void> =>
    drained({
      broker: this.#backend.broker,
      queues: [...this.#config.queues.keys()],
      busy: () => this.#pool.held + this.#pool.reserve.size + this.#recorder.size > 0 || !this.#fetcher.waiting,
      stopped: this.stopped,
    });

  readonly progress = (): ClusterProgress => this.#endings.progress;

  readonly stat = (): ClusterStatus =>
    clusterStatus({
      config: this.#config,
      pool: this.#pool,
      id: this.id,
      tob: this.#tob,
      state: this.#state,
      unstored: this.#recorder?.size ?? 0,
    });

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The store opens while the workers start. Nothing is taken before somebody can run it. */
  async #open(): Promise<void> {
    const workers = this.#pool.start();
    // Awaited below; a store that cannot be opened is the error to show.
    workers.catch(() => {});
    const patience = { outage: this.#outage, isStopping: () => this.#stopping !== undefined };
    this.#backend = this.#givenBackend ?? (await openClusterBackend(this.#config, patience));
    const shown = setInterval(() => this.#show(), this.#config.leaseMs / 3);
    this.#show();
    try {
      await workers;
    } finally {
      clearInterval(shown);
    }
  }

  /** Publishes the status out of turn: while there is no heartbeat yet, and when it matters at once. */
  #show(): void {
    // One that gets lost is followed by others.
    this.#backend.store.beat(this.stat(), this.#config.leaseMs).catch(() => {});
  }

  async #startParts(): Promise<void> {
    const { store } = this.#backend;
    this.#consumer = await this.#consume();
    const fatal = (error: unknown): void => this.#fatal(error);
    const leaseLost = (consumer: Consumer): void => void this.#leaseLost(consumer);
    this.#recorder = new Recorder(this.#backend, this.#outage, fatal, () => this.#fetcher?.wake());
    this.#notes = new Notes(store, this.#logger);
    this.#endings = new Endings({
      recorder: this.#recorder,
      store,
      logger: this.#logger,
      logsTasks: this.#config.logger !== null || ["info", "debug"].includes(this.#config.logLevel),
      unknownForMs: this.#config.unknownForMs,
      maxDeliveries: this.#config.maxDeliveries,
      knownTasks: () => this.#pool.tasks,
      giveBack: (entries, options) => this.#intake.giveBack(entries, options),
      wantsStored: () => this.#pool.wantsStored,
      announce: (finished) => this.#pool.announce(finished),
      reportFailure: (failure) => this.#pool.reportFailure(failure),
    });
    this.#intake = new Intake(this.#consumer, {
      pool: this.#pool,
      logger: this.#logger,
      defaults: this.#config,
      queueLimit: this.#config.queueLimit,
      unstored: () => this.#recorder.size,
      refuse: (entry) => this.#endings.refuse(entry),
      monotonic,
      outage: this.#outage,
    });
    this.#fetcher = new Fetcher(this.#consumer, {
      queues: this.#config.queues,
      outage: this.#outage,
      wanted: () => this.#intake.wanted(),
      accept: (deliveries, consumer) => {
        this.#intake.accept(deliveries, consumer);
        this.#planDispatch();
      },
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
      ordered: (order) => this.#ordered(order),
      leaseLost,
      fatal,
    });
    this.#endBackground = startBackground(store, this.#config, this.#logger, this.#outage);
  }

  async #abandonStart(): Promise<void> {
    this.#state = "Stopped";
    clearInterval(this.#beats);
    this.#endBackground();
    this.#pool.killAll();
    await this.#pool.close(0);
    await this.#consumer?.close().catch(() => {});
    await this.#backend?.store.beat(this.stat(), 1).catch(() => {});
    if (this.#givenBackend === undefined) await this.#backend?.[Symbol.asyncDispose]();
  }

  async #consume(): Promise<Consumer> {
    return await this.#backend.broker.consume({
      queues: [...this.#config.queues.keys()],
      leaseMs: this.#config.leaseMs,
      cluster: { id: this.id, host: hostname(), pid: process.pid },
    });
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
    this.#intake.releaseStale();
  }

  /** What we held may run elsewhere: stop it here, and go on under a new hold. */
  async #leaseLost(lost: Consumer): Promise<void> {
    if (this.#intake.paused || lost !== this.#consumer) return;
    this.#intake.paused = true;
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
    this.#intake.useConsumer(this.#consumer);
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
    // It is between two places: being written, or given back. Whoever holds it next is told.
    else if (!this.#pool.abort(id, "cancelled")) void cancelTask(this.#backend.store, id, Date.now()).catch(() => {});
  }

  #fatal(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(toErrorRecord(error).message);
    this.#logger.error(`The cluster cannot go on: ${reason.message}`, { error: reason });
    this.#failure ??= reason;
    this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<StopReport> {
    const name = humanName(this.id);
    this.#logger.info(logMessages.stopping(name));
    const hurried = new Promise<void>((resolve) => (this.#hurry = resolve));
    if (await this.#endStarting(hurried)) await this.#stopParts(hurried);
    this.#state = "Stopped";
    this.#logger.info(logMessages.stopped(name));
    const report = {
      unstored: this.#unstored,
      released: this.#released + (this.#endings?.released ?? 0),
      ...(this.#failure === undefined ? {} : { error: this.#failure }),
    };
    this.#settleStopped(report);
    return report;
  }

  /** Half a start cannot be stopped, so it comes to its end first; workers that hang in it are ended. */
  async #endStarting(hurried: Promise<void>): Promise<boolean> {
    if (this.#starting === undefined) return false;
    const late = Promise.race([hurried, elapsed(this.#config.graceMs)]);
    void late.then(() => this.#state === "Starting" && this.#pool.killAll());
    await this.#starting.catch(() => {});
    return this.#state !== "Stopped";
  }

  async #stopParts(hurried: Promise<void>): Promise<void> {
    this.#state = "Stopping";
    this.#endBackground();
    this.#show();
    this.#pool.stopReplacing();
    await Promise.race([this.#fetcher.stop(), hurried]);
    this.#logger.info(logMessages.stoppedPushing("Supervisor"));
    this.#released += this.#intake.releaseAll();
    this.#pool.recallAll();
    if (this.#failure === undefined) await Promise.race([this.#finished(), hurried, elapsed(this.#config.graceMs)]);
    await this.#endRunning();
    this.#logger.info(logMessages.waitingForMonitor("Supervisor"));
    // Who hurries is not asked to wait for long, but what has ended is worth a moment.
    const soon = hurried.then(() => elapsed(leaveMs));
    const patienceMs = this.#failure === undefined ? this.#config.graceMs : leaveMs;
    await Promise.race([this.#recorder.drained(), soon, elapsed(patienceMs)]);
    this.#unstored = this.#recorder.abandon();
    await this.#pool.close(leaveMs);
    await this.#leave();
  }

  /** Resolves when no worker holds a task; what comes back unstarted meanwhile is given back at once. */
  async #finished(): Promise<void> {
    while (this.#pool.held > 0) {
      await new Promise<void>((resolve) => {
        this.#quiet = resolve;
        setTimeout(resolve, tickMs);
      });
      this.#released += this.#intake.releaseAll();
    }
  }

  /** Asks what still runs to stop, then ends it; its attempts are on record as released. */
  async #endRunning(): Promise<void> {
    if (this.#pool.held === 0) return;
    this.#pool.abortAll("stopped");
    await Promise.race([this.#finished(), elapsed(this.#config.killAfterMs + leaveMs)]);
    this.#released += this.#intake.releaseAll();
  }

  async #leave(): Promise<void> {
    clearInterval(this.#tick);
    clearInterval(this.#beats);
    this.#intake.close();
    this.#heartbeat.stop();
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
