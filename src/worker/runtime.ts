import { AsyncResource } from "node:async_hooks";
import type { FailureNote, FromWorker, Job, JobNote, JobReport, ToWorker, WorkerInit } from "../contracts/frames.js";
import type { Logger } from "../contracts/logger.js";
import { Execution } from "../core/execute.js";
import type { ExecuteHost } from "../core/execute.js";
import { toErrorRecord } from "../core/error-record.js";
import { logMessages } from "../core/log-messages.js";
import type { StartMarks } from "../core/start-marks.js";
import { reportFailure } from "./error-reporters.js";
import type { LoadedReporters } from "./error-reporters.js";
import type { WorkerPort } from "./port.js";

/** How long tasks may follow one another before the loop turns, in milliseconds: a recall must get through. */
const turnEveryMs = 5;
/**
 * After a task took so long, in milliseconds, what waited behind it is given back: it may have been cancelled meanwhile, or
 * somebody else could do it, and no frame was read.
 */
const stalledMs = 50;
/** How often the resident set size is looked at while tasks run, in milliseconds. */
const rssEveryMs = 250;

export interface RuntimeParts {
  readonly init: WorkerInit;
  readonly port: WorkerPort;
  readonly marks: StartMarks;
  readonly host: Pick<ExecuteHost, "keys" | "handlerFailed" | "completeIn">;
  readonly reporters: LoadedReporters;
  readonly logger: Logger;
  readonly now: () => number;
  readonly monotonic: () => number;
}

/** What runs inside a worker: starts jobs in the order in which they came, as many at once as there are places. */
export class WorkerRuntime {
  readonly #parts: RuntimeParts;
  readonly #executeHost: ExecuteHost;
  #waiting: Job[] = [];
  readonly #running = new Map<number, { readonly execution: Execution; readonly place: number }>();
  readonly #freePlaces: number[];
  #reports: JobReport[] = [];
  #notes: JobNote[] = [];
  #flushPlanned = false;
  #pumpPlanned = false;
  #pumping = false;
  /** What one task leaves in the asynchronous context must not reach the next. */
  readonly #outside = new AsyncResource("qluster.worker");
  #lastTurn = 0;
  #lastRssCheck = 0;
  #done = 0;
  readonly #logsTasks: boolean;
  #retiring = false;

  constructor(parts: RuntimeParts) {
    this.#parts = parts;
    this.#logsTasks = parts.init.logLevel === "info" || parts.init.logLevel === "debug";
    this.#freePlaces = Array.from({ length: parts.init.concurrency }, (_, place) => parts.init.concurrency - 1 - place);
    this.#executeHost = {
      ...parts.host,
      maxMessageBytes: parts.init.maxMessageBytes,
      maxResultBytes: parts.init.maxResultBytes,
      compress: parts.init.compress,
      encrypt: parts.init.encrypt,
      now: parts.now,
      note: (note) => this.#note(note),
      attemptFailed: (error, task) => reportFailure(parts.reporters, error, task, parts.host.handlerFailed),
      starting: (execution) => this.#starting(execution),
      ended: (execution, report) => this.#ended(execution, report),
    };
  }

  handle(frame: ToWorker): void {
    switch (frame.t) {
      case "run":
        this.#waiting.push(...frame.jobs);
        // It was on its way when this worker stopped taking work.
        if (this.#retiring) return this.#giveBack(Infinity);
        // Not before the frames behind this one are read: they may take back what it brings.
        this.#pumpAfterTurn();
        return;
      case "recall":
        this.#giveBack(frame.count);
        return;
      case "abort":
        this.#abort(frame);
        return;
      case "ping":
        this.#parts.port.send({ t: "pong", n: frame.n });
        return;
      case "retire":
        this.#retire(null);
        return;
      case "failed":
        this.#reportFailures(frame.failures);
        return;
      case "stored":
      case "init":
        return;
    }
  }

  /** An error that no `await` caught. `execution` is the task in whose asynchronous context it arose, if that is known. */
  stray(error: unknown, execution: Execution | undefined): "handled" | "unknown" {
    if (execution === undefined && this.#running.size !== 1) return "unknown";
    const guilty = execution ?? this.#running.values().next().value?.execution;
    if (guilty === undefined) return "unknown";
    if (guilty.ended) {
      const { name, message } = toErrorRecord(error);
      this.#parts.logger.warn(`[${guilty.name}] threw after it had ended: ${message}`, { taskId: guilty.id });
      this.#note({ id: guilty.id, at: this.#parts.now(), log: `After the end: ${name}: ${message}` });
      return "handled";
    }
    guilty.fail(error);
    // Whatever the task left behind is still in this process, so nothing new starts here.
    this.#retire("rejection");
    return "handled";
  }

  readonly #pump = (): void => {
    if (this.#retiring) return;
    this.#pumping = true;
    while (this.#waiting.length > 0 && this.#freePlaces.length > 0) {
      const turnMs = this.#parts.monotonic() - this.#lastTurn;
      if (turnMs > turnEveryMs) {
        if (turnMs > stalledMs) this.#giveBack(Infinity);
        else this.#pumpAfterTurn();
        break;
      }
      const job = this.#waiting.shift()!;
      const place = this.#freePlaces.pop()!;
      const execution = new Execution(job, this.#executeHost);
      this.#running.set(job.index, { execution, place });
      execution.run();
    }
    this.#pumping = false;
  };

  #pumpAfterTurn(): void {
    if (this.#pumpPlanned) return;
    this.#pumpPlanned = true;
    setImmediate(() => {
      this.#pumpPlanned = false;
      this.#lastTurn = this.#parts.monotonic();
      this.#pump();
    });
  }

  #starting(execution: Execution): void {
    const { index } = execution.job;
    const place = this.#running.get(index)!.place;
    this.#parts.marks.write(place, index, this.#parts.monotonic());
    if (this.#logsTasks) this.#logStart(execution);
    // Quick tasks come in crowds; only one that is alone, or still runs when the loop turns, gets a title.
    if (this.#waiting.length === 0 && this.#reports.length === 0) this.#title();
  }

  #logStart(execution: Execution): void {
    const { id, name, func, group, attempt, job } = execution;
    const fields = { taskId: id, task: func, queue: job.queue, attempt };
    this.#parts.logger.info(logMessages.processing(this.#parts.init.workerName, name, func, group), fields);
  }

  #ended(execution: Execution, report: JobReport): void {
    this.#reports.push(report);
    const held = this.#running.get(execution.job.index);
    this.#running.delete(execution.job.index);
    if (held !== undefined) this.#freePlaces.push(held.place);
    this.#done += 1;
    this.#planFlush();
    if (this.#parts.init.recycle > 0 && this.#done >= this.#parts.init.recycle) this.#retire("recycle");
    // One that ends while it is being started ends inside the loop that starts the next.
    if (this.#waiting.length > 0 && !this.#pumping) this.#outside.runInAsyncScope(this.#pump, this);
  }

  #note(note: JobNote): void {
    this.#notes.push(note);
    this.#planFlush();
  }

  #planFlush(): void {
    if (this.#reports.length >= 64) this.flush();
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    setImmediate(() => {
      this.#flushPlanned = false;
      this.flush();
      this.#title();
      this.#checkRss();
    });
  }

  /** Hands over what has ended. Also called when the process exits, so that a task's `process.exit()` costs nobody else. */
  flush(): void {
    const { port } = this.#parts;
    if (this.#notes.length > 0) port.send({ t: "note", notes: this.#notes.splice(0) });
    if (this.#reports.length > 0) port.send({ t: "done", reports: this.#reports.splice(0) });
    if (this.#retiring && this.#running.size === 0) port.leave();
  }

  #checkRss(): void {
    const { maxRssBytes } = this.#parts.init;
    if (maxRssBytes === null || this.#parts.monotonic() - this.#lastRssCheck < rssEveryMs) return;
    this.#lastRssCheck = this.#parts.monotonic();
    if (this.#parts.port.rssBytes() >= maxRssBytes) this.#retire("rss");
  }

  #reportFailures(failures: readonly FailureNote[]): void {
    const { reporters, host } = this.#parts;
    for (const { error, ...task } of failures) {
      const failure = Object.assign(new Error(error.message), {
        name: error.name,
        stack: error.stack ?? `${error.name}: ${error.message}`,
      });
      reportFailure(reporters, failure, task, host.handlerFailed);
    }
  }

  #abort(frame: ToWorker & { t: "abort" }): void {
    const running = this.#running.get(frame.index);
    if (running !== undefined) {
      running.execution.abort(frame.reason, frame.limitMs);
      return;
    }
    const waiting = this.#waiting.find((job) => job.index === frame.index);
    if (waiting === undefined) return;
    this.#waiting = this.#waiting.filter((job) => job !== waiting);
    this.#parts.port.send({ t: "recalled", indexes: [frame.index] });
  }

  #giveBack(count: number): void {
    const back = count >= this.#waiting.length ? this.#waiting.splice(0) : this.#waiting.splice(-count);
    this.#parts.port.send({ t: "recalled", indexes: back.map((job) => job.index) });
  }

  #retire(why: (FromWorker & { t: "retiring" })["why"] | null): void {
    if (this.#retiring) return;
    this.#retiring = true;
    if (why !== null) this.#parts.port.send({ t: "retiring", why });
    this.#giveBack(Infinity);
    this.#planFlush();
  }

  #title(): void {
    const { clusterName } = this.#parts.init;
    const first = this.#running.values().next().value?.execution;
    const group = first?.group === undefined ? "" : ` [${first.group}]`;
    const more = this.#running.size > 1 ? ` and ${this.#running.size - 1} more` : "";
    const doing = first === undefined ? "idle" : `processing ${first.name} '${first.func}'${group}${more}`;
    this.#parts.port.setTitle(`qcluster ${clusterName} ${doing}`);
  }
}
