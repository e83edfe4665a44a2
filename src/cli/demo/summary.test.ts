import { describe, expect, it } from "vitest";
import type { FinishedTask } from "../../core/task-types.js";
import { plain } from "../terminal.js";
import { renderDemo, summarizeDemo } from "./summary.js";

const at = new Date(0);
const record = { name: "n", args: [], group: "demo", queue: "demo", queuedAt: at, startedAt: at, stoppedAt: at };

function succeeded(attempts = 1): FinishedTask {
  return { ...record, id: "a", func: "demo.chargeCard", attempts, success: true, result: 1, error: undefined };
}

function failed(func: string, message: string): FinishedTask {
  const error = { name: "Error", message, stack: undefined };
  return { ...record, id: "b", func, attempts: 1, success: false, result: undefined, error };
}

describe("the summary of the demo", () => {
  it("counts successes, retries, failures by task, and what is missing", () => {
    const finished = [succeeded(), succeeded(2), failed("x", "one"), failed("y", "two"), failed("y", "three")];

    expect(summarizeDemo(6, finished, 2_000)).toEqual({
      format: 1,
      tasks: 6,
      seconds: 2,
      succeeded: 2,
      afterRetry: 1,
      failures: [
        { task: "y", message: "two", count: 2 },
        { task: "x", message: "one", count: 1 },
      ],
      lost: 1,
    });
  });

  it("reads as a table that ends with the next step", () => {
    const lines = renderDemo(summarizeDemo(2, [succeeded(2), failed("x", "no such address")], 1_500), plain);

    expect(lines.slice(0, 4)).toEqual([
      "2 tasks in 1.5 s (1 a second)",
      "  succeeded       1, 1 of them after a retry",
      "  failed          1  x: no such address",
      "  lost            0",
    ]);
    expect(lines.at(-1)).toBe("and: npx qluster cluster");
  });
});
