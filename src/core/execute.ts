import type { Job, JobEnding, JobNote, JobReport } from "../contracts/frames.js";
import { ArgumentsError, EnvelopeError, NoRetryError, TransactionError, UnknownTaskError } from "../errors.js";
import { abortError, abortRecord, leaseLost, timeoutBecauseOf } from "./abort-error.js";
import type { AbortReason } from "./abort-error.js";
import { checkArguments } from "./arguments.js";
import { currentTasks } from "./current-task.js";
import { noteText } from "./note-text.js";
import { sealResult, type OpenedTask } from "./envelope.js";
import { openParent, openRequest } from "./open-request.js";
import { readHeader } from "./task-header.js";
import { namesHook, readHookBody } from "./hook-message.js";
import type { TaskHeader } from "./task-header.js";
import { toErrorRecord } from "./error-record.js";
import { finishedTask } from "./finished-task.js";
import { humanName } from "./ids.js";
import type { Keyring } from "./keyring.js";
import { nearest } from "./names.js";
import { openPlan } from "./schedule/flow-plan.js";
import { taskByName, taskNames } from "./registry.js";
import type { TaskDefinition } from "./registry.js";
import { sendableSignals } from "./signals.js";
import type { CurrentTask, Fn, FinishedTask, OutgoingTask, TaskId } from "./task-types.js";

export type { AbortReason };

/** What a process gives the tasks that run in it. */
export interface ExecuteHost {
  readonly keys: Keyring;
  readonly maxMessageBytes: number;
  readonly maxResultBytes: number;
  readonly compress: boolean;
  readonly encrypt: boolean;
  /** Wall time, in milliseconds. */
  readonly now: () => number;
  readonly note: (note: JobNote) => void;
  /** Logs what a signal handler or error reporter did wrong. */
  readonly handlerFailed: (error: unknown) => void;
  /** Error reporters, after every failed attempt. */
  readonly attemptFailed: (error: unknown, task: { id: string; func: string; attempt: number }) => void;
  /** Called right before code of the user runs. */
  readonly starting: (execution: Execution) => void;
  readonly ended: (execution: Execution, report: JobReport) => void;
  /**
   * Writes a success on a transaction of the task's own. Missing where there is no lease to write it under.
   *
   * @param result - Sealed.
   */
  readonly completeIn?:
    | ((execution: Execution, tx: object, success: SealedSuccess) => void | Promise<void>)
    | undefined;
}

export interface SealedSuccess {
  readonly result: string;
  readonly startedAt: number;
  readonly stoppedAt: number;
}

/** What a job turned out to be, once it was opened. */
interface OpenedJob {
  readonly definition: TaskDefinition;
  readonly header: TaskHeader;
  readonly args: readonly unknown[];
}

/**
 * One attempt: opens the message, checks it, calls the function, seals what it returned. Workers of every isolation and
 * sync mode run tasks through here, so that a task behaves the same everywhere.
 *
 * It ends exactly once, through {@link ExecuteHost.ended}, whatever the function does afterwards.
 */
export class Execution implements CurrentTask {
  readonly id: TaskId;
  readonly job: Job;
  func = "";
  group: string | undefined;
  scheduledFor: Date | undefined;
  readonly #host: ExecuteHost;
  #name: string | undefined;
  #isMember = false;
  #controller: AbortController | undefined;
  #aborted: AbortReason | undefined;
  #limitMs = 0;
  #startedAt: number | null = null;
  #ended = false;
  #completed = false;
  /** Ends it as the function has decided, once it has; only handlers are still being told. */
  #decided: (() => void) | undefined;

  constructor(job: Job, host: ExecuteHost) {
    this.id = job.id as TaskId;
    this.job = job;
    this.#host = host;
  }

  /** Made when somebody asks: most tasks are never called by it. */
  get name(): string {
    return (this.#name ??= humanName(this.job.id));
  }

  get attempt(): number {
    return this.job.attempt;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(abortError(this.#aborted, this.#limitMs));
    return this.#controller.signal;
  }

  // Made when somebody asks, as most tasks never do; functions of their own, as tasks take them out of the object.
  get progress(): CurrentTask["progress"] {
    return (done, total, note) => {
      // No column holds NaN, and what a task says of itself must never cost it anything.
      if (!Number.isFinite(done)) return;
      const whole = total === undefined || !Number.isFinite(total) ? null : total;
      const text = note === undefined || note === null ? null : noteText(note);
      this.#note({ progress: { done, total: whole, note: text } });
    };
  }

  get log(): CurrentTask["log"] {
    return (text) => this.#note({ log: noteText(text) });
  }

  get completeIn(): CurrentTask["completeIn"] {
    return (tx, value) => this.#completeIn(tx, value);
  }

  // Not async: on a synchronous connection it has to throw at once, as only that rolls a transaction back.
  #completeIn(tx: object, value: unknown): Promise<void> {
    const { completeIn, now } = this.#host;
    if (this.#isMember) {
      throw new TransactionError(
        "completeIn cannot end a member of a chain, an iterable or a batch, which would not hear of it. Return the value.",
      );
    }
    if (completeIn === undefined) {
      throw new TransactionError(
        "completeIn works in a task that a cluster runs. In sync mode there is no lease to complete it under: return the value.",
      );
    }
    this.#assertMayComplete();
    const startedAt = this.#startedAt ?? now();
    const written = completeIn(this, tx, { result: this.#seal(value), startedAt, stoppedAt: now() });
    if (written instanceof Promise) return this.#completedBy(written);
    this.#completed = true;
    return Promise.resolve();
  }

  async #completedBy(written: Promise<void>): Promise<void> {
    await written;
    this.#completed = true;
  }

  run(): void {
    let opened: OpenedTask | OpenedJob;
    try {
      opened = this.#open();
    } catch (error) {
      this.#end(endingOfUnopened(error));
      return;
    }
    if ("definition" in opened) currentTasks.run(this, () => this.#call(opened));
    else this.#openFlow(opened);
  }

  /**
   * Asks the function to give in. What it does next decides the ending; the supervisor enforces it.
   *
   * @param limitMs - The time-out that has passed, in milliseconds.
   */
  abort(reason: AbortReason, limitMs = 0): void {
    if (this.#ended || this.#aborted !== undefined) return;
    if (this.#decided !== undefined) return this.#decided();
    this.#aborted = reason;
    this.#limitMs = limitMs;
    this.#controller?.abort(abortError(reason, limitMs));
  }

  /** Ends the attempt with an error that the function's own promise did not carry, such as an unhandled rejection. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#fail(error, false);
    this.#controller?.abort(error);
  }

  /** Of a schedule's slot that is a flow: what to open is sealed here, and written by who gets the report. */
  #openFlow(opened: OpenedTask): void {
    const { keys, compress, encrypt, maxMessageBytes: maxBytes, maxResultBytes } = this.#host;
    this.#startedAt = this.#host.now();
    this.#host.starting(this);
    try {
      const host = { keys, seal: { compress, encrypt, maxBytes }, maxResultBytes };
      this.#end({ as: "opened", ...openPlan(host, this.job.queue, opened) });
    } catch (error) {
      this.#fail(error, isFinalError(error));
    }
  }

  #open(): OpenedTask | OpenedJob {
    const { job } = this;
    const header = readHeader(job.envelope);
    const opened =
      header?.kind === "hook" ? this.#openHook(job.envelope) : openRequest(this.#host.keys, job, this.#limits, header);
    this.func = opened.header.func;
    this.#name = opened.header.name;
    this.group = opened.header.group;
    this.#isMember = opened.header.member === true;
    if (opened.header.due !== undefined) this.scheduledFor = new Date(opened.header.due);
    if (opened.header.flow !== undefined) return opened;
    const definition = taskByName(this.func);
    if (definition === undefined) throw new UnknownTaskError(this.func, nearest(this.func, taskNames()));
    return { definition, ...opened };
  }

  /** A hook is not sealed itself: its name stands in the sealed header of its parent, whose parts are opened here. */
  #openHook(envelope: string): { header: TaskHeader; args: unknown[] } {
    const { keys, maxMessageBytes, maxResultBytes } = this.#host;
    const { outcome } = readHookBody(envelope);
    const parent = openParent(keys, outcome, this.#limits);
    const func = readHeader(envelope)?.func ?? "";
    if (!namesHook(parent.header, func)) {
      throw new EnvelopeError("unreadable", `Message ${this.id} says it is a hook of a task that names no such hook.`);
    }
    const finished = finishedTask(outcome, keys, { maxMessageBytes, maxResultBytes });
    return { header: { v: 1, id: this.id, func, kind: "hook" }, args: [finished] };
  }

  get #limits(): { readonly maxBytes: number; readonly maxResultBytes: number } {
    return { maxBytes: this.#host.maxMessageBytes, maxResultBytes: this.#host.maxResultBytes };
  }

  // No async functions from here on: each promise is dear while async context is tracked, and most tasks need one.
  #call(opened: OpenedJob): void {
    const { definition, args } = opened;
    this.#startedAt = this.#host.now();
    this.#host.starting(this);
    if (definition.input === undefined && !sendableSignals.preExecute.connected()) return this.#invoke(opened, args);
    this.#prepare(opened).then(
      (ready) => this.#invoke(opened, ready),
      (error: unknown) => this.#threw(definition.run, args, error),
    );
  }

  async #prepare({ definition, args }: OpenedJob): Promise<readonly unknown[]> {
    const given = sendableSignals.preExecute.connected() ? await this.#announceStart(definition, args) : args;
    return await checkArguments(definition, given);
  }

  #invoke({ definition: { run }, args }: OpenedJob, ready: readonly unknown[]): void {
    let value: unknown;
    try {
      value = (run as (...args: readonly unknown[]) => unknown)(...ready);
    } catch (error) {
      return this.#threw(run, args, error);
    }
    if (!isThenable(value)) return this.#returned(run, args, value);
    const promise = value instanceof Promise ? value : Promise.resolve(value);
    promise.then(
      (settled: unknown) => this.#returned(run, args, settled),
      (error: unknown) => this.#threw(run, args, error),
    );
  }

  /** Handlers may change the arguments. */
  async #announceStart({ run }: TaskDefinition, args: readonly unknown[]): Promise<readonly unknown[]> {
    const outgoing: OutgoingTask = { id: this.id, name: this.name, func: this.func, args: [...args], options: {} };
    await sendableSignals.preExecute.send(this.#host.handlerFailed, run, outgoing);
    return outgoing.args;
  }

  #returned(run: Fn, args: readonly unknown[], value: unknown): void {
    // A task that ignored its deadline has used it up, whatever it returned; on a stop its result is as good as ever.
    if (this.#aborted === "timeout" || this.#aborted === "lost") {
      return this.#threw(run, args, abortError(this.#aborted, this.#limitMs));
    }
    let result: string;
    try {
      result = this.#seal(value);
    } catch (error) {
      return this.#threw(run, args, error);
    }
    const end = (): void => this.#end({ as: "succeeded", result });
    if (!this.#isHeard) return end();
    const finished = { ...this.#record(args), success: true, result: value as never, error: undefined } as const;
    this.#announceThen(end, run, finished);
  }

  /** On a stop its result is as good as ever. */
  #assertMayComplete(): void {
    if (this.#ended)
      throw new TransactionError("completeIn was called after the task had ended. Await it in the task.");
    if (this.#aborted === "lost") throw leaseLost(this.job);
    if (this.#aborted !== undefined && this.#aborted !== "stopped") throw abortError(this.#aborted, this.#limitMs);
  }

  #seal(value: unknown): string {
    const { keys, compress, encrypt, maxResultBytes: maxBytes } = this.#host;
    return sealResult(keys, this.id, value, { compress, encrypt, maxBytes });
  }

  #threw(run: Fn, args: readonly unknown[], error: unknown): void {
    const end = (): void => this.#fail(error, isFinalError(error));
    if (!this.#isHeard) return end();
    const { name, message, stack } = toErrorRecord(error);
    const failed = { name, message, stack: stack ?? undefined };
    this.#announceThen(end, run, { ...this.#record(args), success: false, result: undefined, error: failed });
  }

  /** Whether a handler wants to know of the end before it is reported. */
  get #isHeard(): boolean {
    return !this.#ended && sendableSignals.postExecuteInWorker.connected();
  }

  /** From here on the ending is decided: an abort brings it about at once, without waiting for the handlers. */
  #announceThen(end: () => void, run: Fn, finished: FinishedTask): void {
    this.#decided = end;
    void Promise.resolve(sendableSignals.postExecuteInWorker.send(this.#host.handlerFailed, run, finished)).then(end);
  }

  #fail(error: unknown, final: boolean): void {
    if (this.#ended) return;
    const aborted = this.#aborted;
    if (aborted !== undefined) {
      this.#end({ as: aborted, error: abortRecord(abortError(aborted, this.#limitMs), error) });
    } else {
      this.#end({ as: "error", error: toErrorRecord(error), final });
    }
    // Whether a completed one has failed depends on its transaction; the supervisor tells the reporters then.
    if (!this.#completed && (aborted === undefined || aborted === "timeout")) {
      const failure = aborted === undefined ? error : timeoutBecauseOf(error, this.#limitMs);
      this.#host.attemptFailed(failure, { id: this.id, func: this.func, attempt: this.attempt });
    }
  }

  #record(args: readonly unknown[]): Omit<FinishedTask, "success" | "result" | "error"> {
    const startedAt = new Date(this.#startedAt ?? this.#host.now());
    return {
      id: this.id,
      name: this.name,
      func: this.func,
      args,
      group: this.group,
      queue: this.job.queue,
      attempts: this.attempt,
      queuedAt: new Date(this.job.queuedAt),
      startedAt,
      stoppedAt: new Date(this.#host.now()),
    };
  }

  #note(note: Omit<JobNote, "id" | "at">): void {
    this.#host.note({ id: this.id, at: this.#host.now(), ...note });
  }

  #end(ending: JobEnding): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.ended(this, {
      index: this.job.index,
      startedAt: this.#startedAt,
      stoppedAt: this.#host.now(),
      ending,
      ...(this.#completed ? { completed: true as const } : {}),
    });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && (typeof value === "object" || typeof value === "function") && "then" in value;
}

function endingOfUnopened(error: unknown): JobEnding {
  if (error instanceof UnknownTaskError) return { as: "unknown", error: toErrorRecord(error) };
  if (error instanceof EnvelopeError) {
    if (error.reason === "newer") return { as: "unknown", error: toErrorRecord(error) };
    return { as: "dead", error: { ...toErrorRecord(error), stack: null, dead: error.reason } };
  }
  return { as: "dead", error: { ...toErrorRecord(error), dead: "unreadable" } };
}

/** What no further attempt can change. */
function isFinalError(error: unknown): boolean {
  return error instanceof NoRetryError || error instanceof ArgumentsError || isSealError(error);
}

function isSealError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "QLUSTER_UNENCODABLE" || code === "QLUSTER_TOO_LARGE";
}
