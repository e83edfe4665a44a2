import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Job, JobReport } from "../contracts/frames.js";
import { NoRetryError } from "../errors.js";
import { currentTask } from "./current-task.js";
import { composeHook } from "./hook-message.js";
import { openResult, sealResult, sealTask } from "./envelope.js";
import type { TaskHeader } from "./task-header.js";
import { Execution } from "./execute.js";
import { keyring } from "./keyring.js";
import { defineTask } from "./registry.js";
import { sendableSignals as signals } from "./signals.js";
import type { FinishedTask, Fn } from "./task-types.js";

const keys = keyring("shop", ["a secret that is long enough for anybody"]);
const id = "0123456789abcdef0123456789abcdef";
const sealing = { compress: false, encrypt: false, maxBytes: 262_144 };

function given(name: string, body: (...args: never[]) => unknown, input?: z.ZodType): void {
  defineTask({ name, run: body as Fn, options: {}, input: input as never, source: undefined });
}

const held = { starts: 0, consumer: "c1", receipt: "r1" } as const;

function jobFor(func: string, args: readonly unknown[], header: Partial<TaskHeader> = {}): Job {
  const envelope = sealTask(keys, "default", { v: 1, id, func, ...header }, args, sealing);
  return { index: 1, id, queue: "default", envelope, attempt: 1, queuedAt: 1_000, ...held };
}

interface Run {
  readonly execution: Execution;
  readonly report: Promise<JobReport>;
  readonly reported: unknown[];
}

function run(job: Job, maxResultBytes = 1_000_000): Run {
  const reported: unknown[] = [];
  let execution!: Execution;
  const report = new Promise<JobReport>((resolve) => {
    execution = new Execution(job, {
      keys,
      maxMessageBytes: 262_144,
      maxResultBytes,
      compress: false,
      encrypt: false,
      now: () => 2_000,
      note: (note) => reported.push(note),
      handlerFailed: (error) => reported.push(error),
      attemptFailed: (error) => reported.push(error),
      starting: () => {},
      ended: (_, ended) => resolve(ended),
    });
    execution.run();
  });
  return { execution, report, reported };
}

const connections: (() => void)[] = [];
afterEach(() => {
  for (const disconnect of connections.splice(0)) disconnect();
});

describe("Execution", () => {
  it("seals what the function returned (P089, P300)", async () => {
    given("t.add", async (a: number, b: number) => a + b);

    const { ending } = await run(jobFor("t.add", [1, 2])).report;

    expect(ending.as).toBe("succeeded");
    if (ending.as === "succeeded") expect(openResult(keys, id, ending.result, { maxBytes: 1_000 })).toBe(3);
  });

  it.each([
    ["an ordinary error", new Error("boom"), { as: "error", final: false }],
    ["an error that says not to try again", new NoRetryError("no use"), { as: "error", final: true }],
  ])("reports %s", async (_, error, expected) => {
    given("t.fail", () => {
      throw error;
    });

    const { report, reported } = run(jobFor("t.fail", []));

    expect((await report).ending).toMatchObject({ ...expected, error: { message: error.message } });
    expect(reported).toEqual([error]);
  });

  it.each([
    ["a result that cannot be carried", () => () => {}, /result/],
    ["a result that is too large", () => "x".repeat(2_000), /2046 bytes.*1000/],
  ])("fails for good on %s (P114)", async (_, task, message) => {
    given("t.result", task);

    const { ending } = await run(jobFor("t.result", []), 1_000).report;

    expect(ending).toMatchObject({ as: "error", final: true, error: { message: expect.stringMatching(message) } });
  });

  it("checks arguments again, and hands on what the schema makes of them", async () => {
    given("t.checked", (width: number) => width + 1, z.tuple([z.string().transform(Number)]));

    const good = await run(jobFor("t.checked", ["41"])).report;
    const bad = await run(jobFor("t.checked", [41])).report;

    if (good.ending.as === "succeeded") expect(openResult(keys, id, good.ending.result, { maxBytes: 99 })).toBe(42);
    expect(bad.ending).toMatchObject({ as: "error", final: true, error: { name: "ArgumentsError" } });
  });

  it("says which name is nearest to one that is not known (P301)", async () => {
    given("t.moderateReview", () => {});

    const { ending, startedAt } = await run(jobFor("t.moderateReviw", [])).report;

    expect(ending).toMatchObject({ as: "unknown", error: { message: expect.stringContaining('"t.moderateReview"') } });
    expect(startedAt).toBeNull();
  });

  it.each([
    ["a signature of another secret", keyring("shop", ["another secret that is as long as the first"])],
    ["another project", keyring("bank", ["a secret that is long enough for anybody"])],
  ])("never runs a message with %s (P272, P281)", async (_, other) => {
    let ran = false;
    given("t.never", () => (ran = true));
    const envelope = sealTask(other, "default", { v: 1, id, func: "t.never" }, [], sealing);

    const { ending } = await run({ ...jobFor("t.never", []), envelope }).report;

    expect(ending).toMatchObject({ as: "dead", error: { dead: "signature" } });
    expect(ran).toBe(false);
  });

  it("never runs a signed message that was copied under another id (P272)", async () => {
    let ran = false;
    given("t.copied", () => (ran = true));

    const { ending } = await run({ ...jobFor("t.copied", []), id: "f".repeat(32) }).report;

    expect(ending).toMatchObject({
      as: "dead",
      error: { dead: "unreadable", message: expect.stringContaining("so it is a copy") },
    });
    expect(ran).toBe(false);
  });

  it("knows Math", async () => {
    const { ending } = await run(jobFor("Math.max", [1, 5, 2])).report;

    if (ending.as === "succeeded") expect(openResult(keys, id, ending.result, { maxBytes: 99 })).toBe(5);
    expect(ending.as).toBe("succeeded");
  });

  it("gives the task its context, also after an await (P317)", async () => {
    given("t.context", async () => {
      await Promise.resolve();
      const task = currentTask()!;
      task.progress(3, 10, "thirds");
      task.log("half way");
      return [task.id, task.func, task.attempt, task.group, task.scheduledFor?.getTime(), task.signal.aborted];
    });

    const { report, reported } = run(jobFor("t.context", [], { group: "g", due: 1_500 }));
    const { ending } = await report;

    if (ending.as === "succeeded") {
      expect(openResult(keys, id, ending.result, { maxBytes: 999 })).toEqual([id, "t.context", 1, "g", 1_500, false]);
    }
    expect(reported).toMatchObject([
      { id, progress: { done: 3, total: 10, note: "thirds" } },
      { id, log: "half way" },
    ]);
  });
});

describe("what a task reports", () => {
  it("never costs it anything, and can always be stored (P317)", async () => {
    given("t.reports", () => {
      const task = currentTask()!;
      task.progress(Number.NaN, 10);
      task.progress("3" as never, 10);
      task.progress(1, Infinity, 5 as never);
      task.log("x".repeat(20_000));
      task.log(Object.create(null) as never);
    });

    const { report, reported } = run(jobFor("t.reports", []));

    expect((await report).ending.as).toBe("succeeded");
    expect(reported).toMatchObject([
      { progress: { done: 1, total: null, note: "5" } },
      { log: "x".repeat(10_000) },
      { log: "(a value that cannot be shown as text)" },
    ]);
  });
});

describe("abort", () => {
  it("counts a task as timed out whatever it returned after its deadline (P303)", async () => {
    given("t.swallows", async () => await aborted().then(() => "late"));

    const { execution, report } = run(jobFor("t.swallows", []));
    execution.abort("timeout", 1_500);

    expect((await report).ending).toMatchObject({
      as: "timeout",
      error: { message: "Task exceeded maximum timeout value (1.5 seconds)" },
    });
  });

  it("keeps the result of a task that finished although its cluster stops", async () => {
    given("t.finishes", async () => await aborted().then(() => "done"));

    const { execution, report } = run(jobFor("t.finishes", []));
    execution.abort("stopped");

    expect((await report).ending.as).toBe("succeeded");
  });

  it("shows what the task threw below the reason why it was stopped", async () => {
    given("t.throws", async () => {
      await aborted();
      throw new Error("cleanup failed");
    });

    const { execution, report } = run(jobFor("t.throws", []));
    execution.abort("cancelled");

    expect((await report).ending).toMatchObject({
      as: "cancelled",
      error: { message: "The task was cancelled.", stack: expect.stringContaining("cleanup failed") },
    });
  });

  it("ends once: an unhandled rejection first, and what the function does later changes nothing", async () => {
    let finish!: (value: string) => void;
    given("t.stray", async () => await new Promise<string>((resolve) => (finish = resolve)));

    const { execution, report } = run(jobFor("t.stray", []));
    execution.fail(new Error("stray"));
    finish("too late");

    expect((await report).ending).toMatchObject({ as: "error", error: { message: "stray" } });
    expect(execution.ended).toBe(true);
  });

  async function aborted(): Promise<void> {
    const { signal } = currentTask()!;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  }
});

describe("signals", () => {
  it("come in order, and may change the arguments (P334, P335, P336)", async () => {
    const order: unknown[] = [];
    given("t.signalled", (text: string) => {
      order.push(`run ${text}`);
      return text.length;
    });
    connections.push(
      signals.preExecute.connect(async (func, task) => {
        await Promise.resolve();
        order.push(`pre ${func?.name === "" ? "anonymous" : typeof func} ${task.func}`);
        task.args[0] = "changed";
      }),
      signals.postExecuteInWorker.connect((_, task) => order.push(`post ${task.success} ${String(task.result)}`)),
    );

    await run(jobFor("t.signalled", ["given"])).report;

    expect(order).toEqual([expect.stringMatching(/^pre .* t.signalled$/), "run changed", "post true 7"]);
  });

  it("are sent for failures too (P338)", async () => {
    const seen: unknown[] = [];
    given("t.fails", () => {
      throw new Error("boom");
    });
    connections.push(signals.postExecuteInWorker.connect((_, task) => seen.push(task.success, task.error?.message)));

    await run(jobFor("t.fails", [])).report;

    expect(seen).toEqual([false, "boom"]);
  });

  it("cost no task when a handler throws (P311)", async () => {
    const broken = new Error("handler");
    given("t.fine", () => "fine");
    connections.push(
      signals.preExecute.connect(() => {
        throw broken;
      }),
    );

    const { report, reported } = run(jobFor("t.fine", []));

    expect((await report).ending.as).toBe("succeeded");
    expect(reported).toEqual([broken]);
  });
});

describe("hooks", () => {
  const parentId = "fedcba9876543210fedcba9876543210";

  function hookJob(hook: string | undefined, result: unknown, outcomeId: string = parentId): Job {
    const header: TaskHeader = { v: 1, id: parentId, func: "t.parent", ...(hook === undefined ? {} : { hook }) };
    const envelope = composeHook(
      id,
      {
        outcome: {
          id: outcomeId,
          queue: "default",
          envelope: sealTask(keys, "default", header, [7], sealing),
          attempt: 1,
          queuedAt: 1,
          startedAt: 2,
          stoppedAt: 3,
          success: true,
          result: sealResult(keys, parentId, result, sealing),
          error: null,
        },
      },
      header,
    );
    return { ...jobFor("t.parent", []), envelope };
  }

  it("never run for a copy of their task under another id", async () => {
    let ran = false;
    given("t.hook", () => (ran = true));

    const { ending } = await run(hookJob("t.hook", { url: "u" }, "e".repeat(32))).report;

    expect(ending).toMatchObject({ as: "dead", error: { dead: "unreadable" } });
    expect(ran).toBe(false);
  });

  it("get the finished task, opened from what its own worker sealed (P342)", async () => {
    const seen: FinishedTask[] = [];
    given("t.hook", (finished: FinishedTask) => void seen.push(finished));

    const { ending } = await run(hookJob("t.hook", { url: "u" })).report;

    expect(ending.as).toBe("succeeded");
    expect(seen).toMatchObject([{ id: parentId, func: "t.parent", args: [7], success: true, result: { url: "u" } }]);
  });

  it("run only under the name that the sealed parent gives", async () => {
    const { ending } = await run(hookJob(undefined, 1)).report;

    expect(ending).toMatchObject({ as: "dead" });
  });
});
