import type { ReleaseOptions } from "../contracts/broker.js";
import type { FailureNote, JobReport, StoredNote } from "../contracts/frames.js";
import type { Logger } from "../contracts/logger.js";
import type { ErrorRecord, Settlement, Store, StoredTask } from "../contracts/store.js";
import { logMessages } from "../core/log-messages.js";
import { nearest } from "../core/names.js";
import { countsTowardsAttempts, isFinal } from "../core/settle.js";
import type { PlannedFlow } from "../core/schedule/flow-plan.js";
import type { AttemptEnd } from "../core/settle.js";
import { noteOf, settle } from "../core/settlement.js";
import type { Entry } from "./entry.js";
import { failureLine, nameOf } from "./failure-line.js";
import type { Recorder } from "./recorder.js";
import { refusalOf, unknownDelay } from "./refusal.js";
import { attemptEndOf, settleUnstarted } from "./settlements.js";
import type { JobEnd } from "./worker-death.js";

/** What has been done since the start, for progress bars. Hooks are not counted. */
export interface ClusterProgress {
  /** Tasks with a final outcome, failures included. */
  readonly done: number;
  readonly failed: number;
  readonly retried: number;
}

export interface EndingsParts {
  readonly recorder: Pick<Recorder, "record">;
  readonly store: Pick<Store, "finished">;
  readonly logger: Logger;
  /** Whether anybody reads a line for each task. */
  readonly logsTasks: boolean;
  readonly unknownForMs: number;
  readonly maxDeliveries: number;
  /** The names that workers here can run, for the nearest one. */
  readonly knownTasks: () => readonly string[];
  readonly giveBack: (entries: readonly Entry[], options: ReleaseOptions) => void;
  /** Whether anybody listens to `postExecute`. */
  readonly wantsStored: () => boolean;
  readonly announce: (finished: readonly StoredNote[]) => void;
  /** An attempt failed whose worker is gone: another one tells the error reporters. */
  readonly reportFailure: (failure: FailureNote) => void;
}

/** Messages with an unknown name that are remembered; beyond, all of them get their time once more. */
const mostStrangers = 10_000;

/** How the supervisor knows of an attempt's end. `completed`: the task says that its success is in a transaction. `silent`: its worker is dead. */
interface Known {
  readonly end: AttemptEnd;
  readonly how: "reported" | "completed" | "silent";
}

/** A success that a task has written by itself. */
interface Completed {
  readonly kept: boolean;
  readonly result: string;
  readonly end: AttemptEnd;
}

/** Everything that can end a message here, and what is written, logged and counted then. */
export class Endings {
  readonly #parts: EndingsParts;
  readonly #progress = { done: 0, failed: 0, retried: 0 };
  #released = 0;
  readonly #strangers = new Map<string, number>();
  #announcements: StoredNote[] = [];

  constructor(parts: EndingsParts) {
    this.#parts = parts;
  }

  get progress(): ClusterProgress {
    return { ...this.#progress };
  }

  /** Attempts that were cut short without fault. */
  get released(): number {
    return this.#released;
  }

  /** Ends what must not start: expired, used up by a lost attempt, poison. `false`: it may start. */
  refuse(entry: Entry): boolean {
    const refusal = refusalOf(entry, this.#parts.maxDeliveries);
    if (refusal === undefined) return false;
    this.#record(entry, settleUnstarted(entry, refusal, Date.now()));
    return true;
  }

  /** A worker said how a job ended. */
  reported(entry: Entry, report: JobReport, worker: string): void {
    const { ending } = report;
    if (ending.as === "unknown") return this.#unknown(entry, ending.error);
    if (ending.as === "dead") return this.#setAside(entry, ending.error);
    const end = attemptEndOf(report, worker);
    const opens = ending.as === "opened" ? { flow: ending.flow, members: ending.members } : undefined;
    if (end !== undefined) this.#settle(entry, end, report.completed === true ? "completed" : "reported", opens);
  }

  /** A job ended without a report. */
  ended(entry: Entry, end: JobEnd): void {
    if (end.kind === "attempt") return this.#settle(entry, end.end, "silent");
    if (end.kind === "suspect") return this.#parts.giveBack([entry], { suspect: true });
    const error = { name: "TaskAbortedError", message: "The task was cancelled before it started.", stack: null };
    this.#record(entry, settleUnstarted(entry, { to: "cancelled", error }, Date.now()));
  }

  #reportFailure({ delivery, header }: Entry, { ending, error, suspect }: AttemptEnd): void {
    if (error === undefined || suspect === true || !countsTowardsAttempts(ending)) return;
    this.#parts.reportFailure({ id: delivery.id, func: header.func, attempt: delivery.attempts + 1, error });
  }

  #settle(entry: Entry, end: AttemptEnd, how: Known["how"], opens?: PlannedFlow): void {
    if (end.ending === "released") this.#released += 1;
    this.#record(entry, settle(entry, end, Math.random()), { end, how }, opens);
  }

  /** A newer worker may know the name: given back with a growing delay, for a while. */
  #unknown(entry: Entry, error: ErrorRecord): void {
    const delayMs = unknownDelay(this.#knownFor(entry.delivery.id), this.#parts.unknownForMs);
    if (delayMs !== undefined) return this.#parts.giveBack([entry], { delayMs });
    this.#strangers.delete(entry.delivery.id);
    const near = nearest(entry.header.func, this.#parts.knownTasks());
    const hint = near === undefined || error.message.includes(near) ? "" : ` Did you mean "${near}"?`;
    this.#setAside(entry, { ...error, message: `${error.message}${hint}`, stack: null, dead: "unknown-task" });
  }

  /** Since this cluster first met a message that it cannot run, in milliseconds: how long it had waited before is no fault. */
  #knownFor(id: string): number {
    const now = Date.now();
    const since = this.#strangers.get(id) ?? now;
    if (this.#strangers.size >= mostStrangers) this.#strangers.clear();
    this.#strangers.set(id, since);
    return now - since;
  }

  #setAside(entry: Entry, error: ErrorRecord): void {
    this.#record(entry, settleUnstarted(entry, { to: "failed", error }, Date.now()));
  }

  #record(entry: Entry, settlement: Settlement, known?: Known, opens?: PlannedFlow): void {
    const stored = (isStored: boolean, { outcome }: Settlement): void | Promise<void> => {
      if (!isStored) return this.#unstored(entry, known);
      // Its own worker could not tell, or did not know yet whether it had failed.
      if (known !== undefined && known.how !== "reported") this.#reportFailure(entry, known.end);
      this.#stored(entry, outcome, known?.end);
    };
    this.#parts.recorder.record(entry.consumer, settlement, stored, { cachedMs: entry.header.cached, opens });
  }

  /**
   * Nothing was written, as the message was not there any more. It may have been completed in a transaction of the task's
   * own, just before its worker said so, or died: then it has succeeded, and no failed attempt is to be heard of.
   */
  async #unstored(entry: Entry, known: Known | undefined): Promise<void> {
    const completed = known === undefined ? undefined : await this.#completionOf(entry, known);
    if (known === undefined || completed === undefined) {
      this.#parts.logger.warn(`The result of [${nameOf(entry)}] came after its lease had ended; it changes nothing.`);
      return;
    }
    const { error } = known.end;
    if (error !== undefined) {
      const fields = { taskId: entry.delivery.id, error };
      this.#parts.logger.warn(
        `[${nameOf(entry)}] was completed in its own transaction; what came after changes nothing: ${error.message}`,
        fields,
      );
    }
    const { result, kept, end } = completed;
    this.#stored(entry, { to: "succeeded", result, keep: kept }, kept ? end : undefined);
  }

  async #completionOf(entry: Entry, { end, how }: Known): Promise<Completed | undefined> {
    const [task] = await this.#parts.store.finished([entry.delivery.id]).catch(() => []);
    if (task?.state === "succeeded" && task.worker === end.worker) return completedAs(task, end);
    // A success that is not kept leaves nothing to look at.
    if (task !== undefined || how !== "completed" || entry.policy.save) return undefined;
    return { kept: false, result: "", end: { ...end, ending: "succeeded" } };
  }

  #stored(entry: Entry, outcome: Settlement["outcome"], end: AttemptEnd | undefined): void {
    this.#log(entry, outcome, end);
    // Neither a hook nor what opens a flow is a task that somebody asked for.
    if (entry.header.kind === "hook" || entry.header.flow !== undefined) return;
    if (isFinal(outcome)) this.#progress.done += 1;
    if (outcome.to === "failed") this.#progress.failed += 1;
    if (outcome.to === "retrying") this.#progress.retried += 1;
    if (end !== undefined && this.#parts.wantsStored()) this.#announce(entry, end, outcome);
  }

  #log(entry: Entry, outcome: Settlement["outcome"], end: AttemptEnd | undefined): void {
    const { logger, logsTasks } = this.#parts;
    if (outcome.to === "succeeded" && !logsTasks) return;
    const fields = { taskId: entry.delivery.id, task: entry.header.func, queue: entry.delivery.queue };
    const timed = end === undefined ? fields : { ...fields, durationMs: end.stoppedAt - end.startedAt };
    if (outcome.to === "succeeded") logger.info(logMessages.processed(nameOf(entry)), timed);
    const error = end?.error ?? ("error" in outcome ? outcome.error : undefined);
    if (error !== undefined && outcome.to !== "queued") logger.error(failureLine(entry, error, outcome), timed);
  }

  #announce(entry: Entry, end: AttemptEnd, outcome: Settlement["outcome"]): void {
    this.#announcements.push(noteOf(entry, end, outcome));
    if (this.#announcements.length > 1) return;
    setImmediate(() => this.#parts.announce(this.#announcements.splice(0)));
  }
}

function completedAs({ result, startedAt, stoppedAt }: StoredTask, end: AttemptEnd): Completed {
  const times = { startedAt: startedAt ?? end.startedAt, stoppedAt: stoppedAt ?? end.stoppedAt, worker: end.worker };
  return { kept: true, result: result ?? "", end: { ...times, ending: "succeeded", result: result ?? "" } };
}
