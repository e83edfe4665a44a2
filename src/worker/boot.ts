import { hostname } from "node:os";
import { isAbsolute, resolve } from "node:path";
import type { StoredNote, ToWorker, WorkerInit } from "../contracts/frames.js";
import type { Logger } from "../contracts/logger.js";
import { currentTasks } from "../core/current-task.js";
import { toErrorRecord } from "../core/error-record.js";
import { Execution } from "../core/execute.js";
import { finishedTask } from "../core/finished-task.js";
import { keyring } from "../core/keyring.js";
import { importModule, loadTasks } from "../core/load-tasks.js";
import { createLogger } from "../core/logger.js";
import { sendableSignals } from "../core/signals.js";
import type { StartMarks } from "../core/start-marks.js";
import type { ErrorReporter } from "../core/task-types.js";
import { Completion } from "./completion.js";
import type { LoadedReporters } from "./error-reporters.js";
import type { WorkerPort } from "./port.js";
import { WorkerRuntime } from "./runtime.js";

/** What the process or thread decides about itself. */
export interface WorkerSurroundings {
  readonly port: WorkerPort;
  readonly openMarks: (init: WorkerInit) => StartMarks;
  readonly now: () => number;
  readonly monotonic: () => number;
  /** Reporters that the configuration holds as values; for workers in the supervisor's own process. */
  readonly reporters?: readonly ErrorReporter[];
  readonly logger?: Logger | undefined;
  readonly started?: (runtime: WorkerRuntime) => void;
}

/** Waits for the first frame, loads what the worker needs, and says that it is ready, or why it cannot be. */
export function bootWorker(surroundings: WorkerSurroundings): void {
  let runtime: WorkerRuntime | undefined;
  let announce: ((finished: readonly StoredNote[]) => void) | undefined;

  surroundings.port.onFrame((frame: ToWorker) => {
    if (frame.t === "init") {
      start(frame.init, surroundings).then(
        (booted) => ({ runtime, announce } = booted),
        (error: unknown) => surroundings.port.send({ t: "broken", error: toErrorRecord(error) }),
      );
    } else if (frame.t === "stored") announce?.(frame.finished);
    else if (runtime === undefined && frame.t === "retire") surroundings.port.leave();
    else runtime?.handle(frame);
  });
}

async function start(
  init: WorkerInit,
  surroundings: WorkerSurroundings,
): Promise<{ runtime: WorkerRuntime; announce: (finished: readonly StoredNote[]) => void }> {
  const { port, now, monotonic } = surroundings;
  const logger = surroundings.logger ?? stderrLogger(init, now);
  const handlerFailed = (error: unknown): void => logger.error("A signal handler or error reporter failed", { error });
  const keys = keyring(init.project, init.secrets);

  const completion = new Completion(init, logger);
  const [tasks] = await Promise.all([loadTasks(init.root, init.tasks), completion.prepare()]);
  const reporters = surroundings.reporters ?? (await loadReporters(init));
  const marks = surroundings.openMarks(init);
  const runtime = new WorkerRuntime({
    init,
    port,
    marks,
    host: { keys, handlerFailed, completeIn: completion.completeIn },
    reporters,
    logger,
    now,
    monotonic,
  });
  surroundings.started?.(runtime);
  await sendableSignals.postSpawn.send(handlerFailed, init.workerName);
  port.setTitle(`qcluster ${init.clusterName} idle`);
  port.send({ t: "ready", tasks, wantsStored: sendableSignals.postExecute.connected() });
  return { runtime, announce: (finished) => announceStored(finished, init, keys, handlerFailed) };
}

function announceStored(
  notes: readonly StoredNote[],
  init: WorkerInit,
  keys: ReturnType<typeof keyring>,
  failed: (error: unknown) => void,
): void {
  for (const note of notes) {
    try {
      void sendableSignals.postExecute.send(failed, finishedTask(note, keys, init));
    } catch (error) {
      failed(error);
    }
  }
}

async function loadReporters(init: WorkerInit): Promise<LoadedReporters> {
  const reporters: ErrorReporter[] = [];
  for (const path of init.reporterModules) {
    const file = isAbsolute(path) ? path : resolve(init.root, path);
    const module = await importModule(file);
    reporters.push(module["default"] as ErrorReporter);
  }
  return reporters;
}

function stderrLogger(init: WorkerInit, now: () => number): Logger {
  return createLogger({
    write: (lines) => void process.stderr.write(lines),
    clock: { now },
    level: init.logLevel,
    format: init.logFormat,
    colour: init.logColour,
    origin: { pid: process.pid, hostname: hostname() },
    fields: { cluster: init.clusterName, worker: init.workerName },
  });
}

/** The task in whose asynchronous context the caller runs, as the runtime knows it. */
export function currentExecution(): Execution | undefined {
  const task = currentTasks.getStore();
  return task instanceof Execution ? task : undefined;
}
