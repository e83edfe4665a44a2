import { describe, expect, it } from "vitest";
import { fakeTerminal } from "../../test/cli/fake-terminal.js";
import type { TaskStatus } from "../client/types.js";
import type { FinishedTask } from "../core/task-types.js";
import { waitForResult, waitingLine } from "./wait-for-result.js";

const status = (given: Partial<TaskStatus> = {}): TaskStatus => ({
  state: "running",
  attempts: 0,
  queuedAt: new Date(0),
  dueAt: new Date(0),
  startedAt: undefined,
  stoppedAt: undefined,
  notes: { progress: undefined, log: [] },
  ...given,
});
const progressed = (total: number | null) =>
  status({ notes: { progress: { done: 3, total, note: "pages" }, log: [] } });

describe("while enqueue --wait waits", () => {
  it.each([
    [undefined, "waiting 2 s"],
    [status({ state: "queued" }), "queued 2 s"],
    [progressed(null), "running 2 s"],
    [progressed(6), /^pages █+░+ +50 % {2}3 of 6/],
  ])("a terminal shows where the task stands (P099)", (given, line) => {
    expect(waitingLine(given, 2_400, 80)).toMatch(line);
  });

  it("no line is wider than the terminal", () => {
    for (const width of [0, 1, 5, 20, 60]) {
      expect(waitingLine(progressed(6), 0, width).length).toBeLessThanOrEqual(Math.max(0, width - 2));
    }
  });

  it("the line is gone when the result is there", async () => {
    const terminal = fakeTerminal({ interactive: true });
    const finished = { success: true, result: 3 } as FinishedTask;
    const q = { fetch: async () => finished as never, status: async () => status() };

    expect(await waitForResult(q, "id", 1_000, terminal)).toBe(finished);
    expect(terminal.noted().endsWith("\r\u001B[K")).toBe(true);
  });

  it("nothing is written where nobody looks, nor read for it", async () => {
    const terminal = fakeTerminal();
    const q = { fetch: async () => undefined, status: () => expect.unreachable("nobody looks") };

    await waitForResult(q, "id", 1_000, terminal);

    expect(terminal.noted()).toBe("");
  });

  it("a status that cannot be read costs a picture only", async () => {
    const terminal = fakeTerminal({ interactive: true });
    const q = { fetch: async () => undefined, status: async () => Promise.reject(new Error("away")) };

    await expect(waitForResult(q, "id", 1_000, terminal)).resolves.toBeUndefined();
  });
});
