import type { FinishedTask } from "../../core/task-types.js";
import { group } from "../render-bar.js";
import type { Style } from "../terminal.js";

export interface DemoSummary {
  readonly format: 1;
  readonly tasks: number;
  readonly seconds: number;
  readonly succeeded: number;
  /** Successes that took more than one attempt. */
  readonly afterRetry: number;
  readonly failures: readonly DemoFailure[];
  /** Tasks without a result. */
  readonly lost: number;
}

interface DemoFailure {
  readonly task: string;
  /** One of the messages, as a sample. */
  readonly message: string;
  readonly count: number;
}

/** Counts what became of `tasks` tasks. */
export function summarizeDemo(tasks: number, finished: readonly FinishedTask[], elapsedMs: number): DemoSummary {
  const good = finished.filter((task) => task.success);
  const failures = new Map<string, DemoFailure>();
  for (const task of finished) {
    if (task.success) continue;
    const before = failures.get(task.func);
    failures.set(task.func, {
      task: task.func,
      message: before?.message ?? task.error.message,
      count: (before?.count ?? 0) + 1,
    });
  }
  return {
    format: 1,
    tasks,
    seconds: Math.round(elapsedMs) / 1_000,
    succeeded: good.length,
    afterRetry: good.filter((task) => task.attempts > 1).length,
    failures: [...failures.values()].sort((a, b) => b.count - a.count),
    lost: tasks - finished.length,
  };
}

/** The summary for people, with what to do next. */
export function renderDemo(summary: DemoSummary, style: Style): string[] {
  const { tasks, seconds, succeeded, afterRetry, failures, lost } = summary;
  const rate = seconds > 0 ? ` (${group(Math.round((tasks - lost) / seconds))} a second)` : "";
  const retried = afterRetry === 0 ? "" : `, ${group(afterRetry)} of them after a retry`;
  return [
    style("bold", `${group(tasks)} tasks in ${seconds.toFixed(1)} s${rate}`),
    style("green", `  succeeded  ${count(succeeded)}`) + retried,
    ...failures.map(
      ({ task, message, count: n }) =>
        style("red", `  failed     ${count(n)}`) + `  ${task}${n > 1 ? ", for example" : ""}: ${message}`,
    ),
    style(lost === 0 ? "green" : "red", `  lost       ${count(lost)}`),
    "",
    "Your own tasks: npm i qluster, then a qluster.config.ts with",
    '  export default defineConfig({ name: "shop", database: "sqlite:data/qluster.db", tasks: ["tasks/**/*.ts"] });',
    "and: npx qluster cluster",
  ];
}

function count(value: number): string {
  return group(value).padStart(6);
}
