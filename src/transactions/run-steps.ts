import type { Executor, SqlRow, SqlSteps } from "../contracts/transaction.js";

/** Runs the statements of `steps` one after another: in this very turn of the loop when the executor is synchronous. */
export function runSteps<T>(executor: Executor, steps: SqlSteps<T>): T | Promise<T> {
  return executor.synchronous ? runNow(executor, steps) : runInTime(executor, steps);
}

function runNow<T>(executor: Executor, steps: SqlSteps<T>): T {
  let step = steps.next([]);
  while (step.done !== true) {
    let rows: readonly SqlRow[];
    try {
      rows = executor.run(step.value) as readonly SqlRow[];
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(rows);
  }
  return step.value;
}

async function runInTime<T>(executor: Executor, steps: SqlSteps<T>): Promise<T> {
  let step = steps.next([]);
  while (step.done !== true) {
    let rows: readonly SqlRow[];
    try {
      rows = await executor.run(step.value);
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next(rows);
  }
  return step.value;
}
