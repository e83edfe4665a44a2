import { hostname } from "node:os";
import type { Cache } from "../contracts/cache.js";
import type { Job, JobNote, JobReport, StoredNote } from "../contracts/frames.js";
import type { Logger } from "../contracts/logger.js";
import type { ErrorRecord, NewTask, Outcome, Store } from "../contracts/store.js";
import { cacheResult } from "../core/cached-result.js";
import { composeHook } from "../core/hook-message.js";
import type { TaskHeader } from "../core/task-header.js";
import { Execution, type ExecuteHost } from "../core/execute.js";
import { finishedTask } from "../core/finished-task.js";
import { deriveId, humanName } from "../core/ids.js";
import type { Keyring } from "../core/keyring.js";
import { nearest } from "../core/names.js";
import { taskNames } from "../core/registry.js";
import { policyOf, settleAttempt, type AttemptEnd } from "../core/settle.js";
import { sendableSignals } from "../core/signals.js";
import { TaskTimeoutError, UnknownTaskError } from "../errors.js";
import type { ResolvedConfig } from "../options/resolved.js";
import type { Prepared } from "./enqueuer.js";

export interface SyncHost {
  readonly config: ResolvedConfig;
  readonly keys: () => Keyring;
  readonly store: () => Promise<Store>;
  readonly cache: () => Promise<Cache>;
  readonly logger: Logger;
}

/** No broker has it. */
const unheld = { starts: 0, consumer: "", receipt: "" } as const;

/** How the one attempt went. */
interface Ran {
  readonly report: JobReport;
  /** What the function threw, as it was. Told right after the end. */
  thrown: { readonly error: unknown } | undefined;
  readonly notes: readonly JobNote[];
}

/** What a message run here leads to. */
interface Told {
  readonly task: NewTask;
  readonly header: TaskHeader;
  readonly note: StoredNote;
}

/**
 * Sync mode: one attempt in this process, through the same codec, store, hook and signals as in a worker; without queue,
 * delay, retry or kill. The outcome is stored first; then the task's own error is thrown at the caller.
 *
 * Counterpart in Django Q2: `sync=True`, which stores nothing of a failure.
 */
export class SyncRunner {
  readonly #host: SyncHost;

  constructor(host: SyncHost) {
    this.#host = host;
  }

  /** @returns The task's id, once its outcome is stored and its hook has run. Rejects with what the task threw. */
  async run({ task, header, unknown }: Prepared): Promise<string> {
    if (unknown) {
      const advice = "Sync mode runs it in this process: import its module, or call loadTasks() first.";
      throw new UnknownTaskError(header.func, nearest(header.func, taskNames()), advice);
    }
    const { ran, note } = await this.#runAndStore(task, header);
    if (header.hook !== undefined) await this.#runHook({ task, header, note }, header.hook);
    await this.#announce(note);
    if (ran.report.ending.as === "timeout") throw new TaskTimeoutError(this.#policyOf(header).timeoutMs ?? 0);
    if (ran.thrown !== undefined) throw ran.thrown.error;
    return task.id;
  }

  async #runAndStore(task: NewTask, header: TaskHeader): Promise<{ ran: Ran; note: StoredNote }> {
    const queuedAt = Date.now();
    const ran = await this.#execute(
      { ...unheld, index: 1, id: task.id, queue: task.queue, envelope: task.envelope, attempt: 1, queuedAt },
      header,
    );
    const end = attemptEndOf(ran.report);
    const { attempt, outcome } = settleAttempt(end, { attempts: 0, starts: 0 }, this.#policyOf(header), 0);
    const store = await this.#host.store();
    // It has run: what would hold it back in a queue holds for it no more.
    const stored = { ...task, delayMs: 0, dueAt: null, expiresMs: null, unique: null };
    const settlement = { id: task.id, attempt, outcome, followUps: [] };
    const { cached } = header;
    await store.saveFinished(
      stored,
      cached === undefined ? settlement : await cacheResult(await this.#host.cache(), settlement, cached),
    );
    await this.#report(store, ran.notes);
    return { ran, note: noteOf(task, queuedAt, end, outcome) };
  }

  /** The outcome is stored by now: hook and signals follow from it, whatever becomes of the notes. */
  async #report(store: Store, notes: readonly JobNote[]): Promise<void> {
    if (notes.length === 0) return;
    try {
      await store.report(notes);
    } catch (error) {
      this.#host.logger.error("The notes of a task could not be stored", { error });
    }
  }

  #execute(job: Job, header: TaskHeader): Promise<Ran> {
    const timeoutMs = this.#policyOf(header).timeoutMs;
    return new Promise((resolve) => {
      const notes: JobNote[] = [];
      let timer: NodeJS.Timeout | undefined;
      let ran: Ran | undefined;
      const timeOut = (limitMs: number): void => {
        execution.abort("timeout", limitMs);
        // Nothing can be killed here; the caller goes on all the same.
        timer = setTimeout(() => execution.fail(new TaskTimeoutError(limitMs)), this.#host.config.killAfterMs);
      };
      const execution = new Execution(job, {
        ...this.#executeHost(),
        note: (note) => void notes.push(note),
        starting: () => {
          if (timeoutMs !== null) timer = setTimeout(() => timeOut(timeoutMs), timeoutMs);
        },
        ended: (_, report) => {
          clearTimeout(timer);
          resolve((ran = { report, thrown: undefined, notes }));
        },
        attemptFailed: (error) => {
          if (ran !== undefined) ran.thrown = { error };
        },
      });
      execution.run();
    });
  }

  #executeHost(): Omit<ExecuteHost, "attemptFailed" | "note" | "starting" | "ended"> {
    const { config, logger } = this.#host;
    const { maxMessageBytes, maxResultBytes, compress, encrypt } = config;
    return {
      keys: this.#host.keys(),
      maxMessageBytes,
      maxResultBytes,
      compress,
      encrypt,
      now: Date.now,
      handlerFailed: (error) => logger.error("A signal handler failed; the task went on", { error }),
    };
  }

  /** A hook that was composed already. Its failure is on record and in the log, and changes nothing else. */
  async runHook(task: NewTask): Promise<void> {
    const { id, func, parent } = task;
    const header: TaskHeader = { v: 1, id, func, kind: "hook", parent: parent ?? "", timeout: 30_000 };
    const { note } = await this.#runAndStore(task, header);
    if (note.success) return;
    const because = note.error?.message ?? "of an error";
    this.#host.logger.error(`return hook ${func} failed because ${because}`, { taskId: parent });
  }

  /** In the caller's process, at once. Its failure is on record and in the log, and changes nothing else. */
  async #runHook({ task, header, note }: Told, hook: string): Promise<void> {
    const id = deriveId(task.id, "hook");
    const envelope = composeHook(id, { outcome: note }, header);
    const hookHeader: TaskHeader = { v: 1, id, func: hook, kind: "hook", parent: task.id, timeout: 30_000 };
    const hookTask: NewTask = {
      ...task,
      id,
      envelope,
      func: hook,
      name: null,
      group: null,
      kind: "hook",
      parent: task.id,
    };
    const { note: told } = await this.#runAndStore(hookTask, hookHeader);
    if (told.success) return;
    const name = header.name ?? humanName(task.id);
    this.#host.logger.error(`return hook ${hook} failed on [${name}] because ${told.error?.message ?? "of an error"}`, {
      taskId: task.id,
    });
  }

  async #announce(note: StoredNote): Promise<void> {
    const { config, keys, logger } = this.#host;
    if (!sendableSignals.postExecute.connected()) return;
    const failed = (error: unknown): void => logger.error("A postExecute handler failed", { error });
    await sendableSignals.postExecute.send(failed, finishedTask(note, keys(), config));
  }

  #policyOf(header: TaskHeader): ReturnType<typeof policyOf> {
    const { config } = this.#host;
    return { ...policyOf(header, config), attempts: 1 };
  }
}

function attemptEndOf({ ending, startedAt, stoppedAt }: JobReport): AttemptEnd {
  const times = { startedAt: startedAt ?? stoppedAt, stoppedAt, worker: `${hostname()}:${process.pid}` };
  if (ending.as === "succeeded") return { ...times, ending: "succeeded", result: ending.result };
  // No slot of a schedule runs here.
  if (ending.as === "opened") return { ...times, ending: "succeeded", result: "" };
  if (ending.as === "timeout") return { ...times, ending: "timeout", error: ending.error };
  return { ...times, ending: "error", error: ending.error };
}

function noteOf(task: NewTask, queuedAt: number, end: AttemptEnd, outcome: Outcome): StoredNote {
  const { id, queue, envelope } = task;
  const { startedAt, stoppedAt } = end;
  const base = { id, queue, envelope, attempt: 1, queuedAt, startedAt, stoppedAt };
  if (outcome.to === "succeeded") return { ...base, success: true, result: outcome.result, error: null };
  return { ...base, success: false, result: null, error: errorOf(outcome) };
}

function errorOf(outcome: Outcome): ErrorRecord | null {
  return "error" in outcome ? outcome.error : null;
}
