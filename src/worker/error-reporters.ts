import type { ErrorReporter } from "../core/task-types.js";

export type LoadedReporters = readonly ErrorReporter[];

/** Tells every reporter of a failed attempt. What one throws is handed to `failed` and costs nobody else. */
export function reportFailure(
  reporters: LoadedReporters,
  thrown: unknown,
  task: { readonly id: string; readonly func: string; readonly attempt: number },
  failed: (error: unknown) => void,
): void {
  if (reporters.length === 0) return;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  for (const reporter of reporters) void tell(reporter, error, task).catch(failed);
}

async function tell(
  reporter: ErrorReporter,
  error: Error,
  task: Parameters<ErrorReporter["report"]>[1],
): Promise<void> {
  await reporter.report(error, task);
}
