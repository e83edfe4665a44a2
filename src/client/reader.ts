import type { StoredTask } from "../contracts/store.js";
import { parseDuration } from "../core/duration.js";
import { openResult } from "../core/envelope.js";
import { finishedFromStore, type OpenLimits } from "../core/finished-task.js";
import type { Keyring } from "../core/keyring.js";
import type { FinishedTask } from "../core/task-types.js";
import { OptionError, TaskFailedError } from "../errors.js";
import { quote } from "../core/quote.js";
import { refuse, trueOrFalse } from "./option-checks.js";
import type { ReadOptions } from "./types.js";
import type { Awaited, Patience, Waiters } from "./waiters.js";

const readOptions = ["wait", "signal", "cached"];

/** Opens what the store has sealed. */
export interface Opener {
  /** Made on first use. */
  readonly keys: () => Keyring;
  readonly limits: OpenLimits;
}

/** A finished task by id or name; `undefined` when it has not finished in time. */
export async function findFinished(
  waiters: Waiters,
  idOrName: unknown,
  options?: ReadOptions,
): Promise<StoredTask | undefined> {
  if (typeof idOrName !== "string" || idOrName === "") {
    throw new OptionError(
      `The first argument is ${quote(idOrName)}; expected the id that asyncTask gave, or a task's name.`,
    );
  }
  const patience = patienceOf(options, readOptions, 0);
  const found = await waiters.wait(goalOf(idOrName), patience);
  return typeof found === "object" ? found : undefined;
}

/** How long to wait. Django Q2 says -1 for "as long as it takes". */
export function patienceOf(options: ReadOptions | undefined, known: readonly string[], otherwise: number): Patience {
  if (options === undefined) return { waitMs: otherwise };
  if (typeof options !== "object" || options === null) throw refuse("of a look-up", options, "an object of options");
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new OptionError(`There is no option "${key}" of a look-up. Known are: ${known.join(", ")}.`);
  }
  const { wait, signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw refuse("signal", signal, "an AbortSignal");
  trueOrFalse(options.cached, "cached");
  if (wait === undefined) return { waitMs: otherwise, signal };
  return { waitMs: wait === -1 ? Infinity : parseDuration(wait, "wait", { allowInfinity: true }), signal };
}

function goalOf(idOrName: string): Awaited {
  return /^[0-9a-f]{32}$/.test(idOrName) ? { kind: "id", id: idOrName } : { kind: "name", name: idOrName };
}

/** What the task returned. @throws {TaskFailedError} when it did not succeed. */
export function resultOf(task: StoredTask, { keys, limits }: Opener): unknown {
  if (task.state !== "succeeded") throw failureOf(task);
  return openResult(keys(), task.id, task.result ?? "", { maxBytes: limits.maxResultBytes });
}

export function failureOf(task: StoredTask): TaskFailedError {
  const { id, func, attempts, state, error } = task;
  return new TaskFailedError({
    id,
    func,
    attempts,
    state: state === "cancelled" || state === "expired" ? state : "failed",
    error: {
      name: error?.name ?? "Error",
      message: error?.message ?? `The task ended as ${state}.`,
      stack: error?.stack ?? undefined,
    },
  });
}

export function recordOf(task: StoredTask, { keys, limits }: Opener): FinishedTask {
  return finishedFromStore(task, keys(), limits);
}
