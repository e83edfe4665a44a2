import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backends, type Opened } from "../../test/support/backends.js";
import { secret } from "../../test/support/run-queued.js";
import { currentTask } from "../core/current-task.js";
import { deriveId } from "../core/ids.js";
import type { FinishedTask } from "../core/task-types.js";
import type { LogFields } from "../contracts/logger.js";
import { OptionError, TaskTimeoutError, UnknownTaskError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import { link } from "./link.js";
import { signals } from "./public-signals.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("sync.double", (n: number) => n * 2);
const fail = task("sync.fail", () => {
  throw new RangeError("out of paper");
});
const told: FinishedTask[] = [];
const hook = task("sync.hook", (finished: FinishedTask) => void told.push(finished));
const badHook = task("sync.bad-hook", () => {
  throw new Error("the hook broke");
});

describe.each(backends)("sync mode on %s", (_, open) => {
  let opened: Opened;
  let q: Qluster;
  const errors: [string, LogFields | undefined][] = [];
  beforeEach(async () => {
    opened = await open();
    told.length = 0;
    errors.length = 0;
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message: string, fields?: LogFields) => void errors.push([message, fields]),
    };
    q = createQluster(
      { name: "test", database: "memory:", secret, sync: true, killAfter: "20ms", logger },
      { backend: opened.backend, env: {} },
    );
  });
  afterEach(async () => {
    await q.close();
    await opened.remove();
  });

  it("has stored the result when the call returns, and queued nothing (P006, P034, P084)", async () => {
    const id = await q.asyncTask(double.with({ delay: "1h", group: "g", unique: "k" }), 21);

    expect(await q.result(id)).toBe(42);
    expect(await q.queueSize()).toBe(0);
    expect(await q.resultGroup("g")).toEqual([42]);
    expect(await q.attempts(id)).toMatchObject([{ number: 1, ending: "succeeded", counted: true }]);
  });

  it("can be asked for by one request, or refused by it (P081)", async () => {
    const id = await q.asyncTask(double.with({ sync: false }), 1);

    expect((await q.status(id))?.state).toBe("queued");
  });

  it("throws the task's own error, once the failure is stored and the hook was told (P085, P086, P338)", async () => {
    const inWorker: unknown[] = [];
    const disconnect = signals.postExecuteInWorker.connect(
      (__, finished) => void inWorker.push([finished.func, finished.success]),
    );

    const refused = q.asyncTask(fail.with({ attempts: 5, group: "g", hook })).finally(disconnect);

    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow("out of paper");
    expect(await q.fetchGroup("g")).toMatchObject([{ success: false, attempts: 1, error: { name: "RangeError" } }]);
    expect(told).toMatchObject([{ success: false, error: { message: "out of paper" } }]);
    expect(inWorker).toEqual([
      ["sync.fail", false],
      ["sync.hook", true],
    ]);
  });

  it("runs the hook in this process, as a task of its own (P342, P349)", async () => {
    const id = await q.asyncTask(double.with({ hook, taskName: "twice" }), 4);

    expect(told).toMatchObject([{ id, name: "twice", success: true, result: 8, args: [4] }]);
    expect(await q.fetch(deriveId(id, "hook"))).toMatchObject({
      func: "sync.hook",
      success: true,
      args: [{ id, result: 8 }],
    });
  });

  it("tells the hook also when the task's notes cannot be stored", async () => {
    const { store } = opened.backend;
    const broken = { ...opened.backend, store: { ...store, report: async () => Promise.reject(new Error("no room")) } };
    const noted = task("sync.noted", () => currentTask()?.log("a line"));
    await using other = createQluster(
      { name: "test", database: "memory:", secret, sync: true, logLevel: "silent" },
      { backend: broken, env: {} },
    );

    const id = await other.asyncTask(noted.with({ hook }));

    expect(told).toMatchObject([{ id, success: true }]);
  });

  it("logs a hook that fails, and changes nothing else (P345)", async () => {
    const id = await q.asyncTask(double.with({ hook: badHook, taskName: "twice" }), 4);

    expect(await q.result(id)).toBe(8);
    expect(errors.map(([message]) => message)).toEqual([
      "return hook sync.bad-hook failed on [twice] because the hook broke",
    ]);
  });

  it("logs a hook that nobody knows (P344)", async () => {
    const id = await q.asyncTask(double.with({ hook: "sync.nobody", taskName: "twice" }), 4);

    expect(await q.result(id)).toBe(8);
    expect(errors.map(([message]) => message)).toEqual([
      expect.stringContaining("return hook sync.nobody failed on [twice]"),
    ]);
  });

  it("sends the signals in their order (P334, P337)", async () => {
    const order: string[] = [];
    const note = (name: string) => () => void order.push(name);
    const connections = [
      signals.preEnqueue.connect(note("preEnqueue")),
      signals.preExecute.connect(note("preExecute")),
      signals.postExecuteInWorker.connect(note("postExecuteInWorker")),
      signals.postExecute.connect(note("postExecute")),
    ];
    const traced = task("sync.traced", () => void order.push("run"));

    await q.asyncTask(traced).finally(() => connections.forEach((disconnect) => disconnect()));

    expect(order).toEqual(["preEnqueue", "preExecute", "run", "postExecuteInWorker", "postExecute"]);
  });

  it("aborts at the time-out, and comes back even when the task does not give in (P087)", async () => {
    const polite = task(
      "sync.polite",
      () =>
        new Promise((__, reject) =>
          currentTask()?.signal.addEventListener("abort", () => reject(new Error("gave in"))),
        ),
    );
    const stubborn = task("sync.stubborn", () => new Promise(() => undefined));

    const first = q.asyncTask(polite.with({ timeout: 20, group: "g" }));
    const second = q.asyncTask(stubborn.with({ timeout: 20, group: "g" }));

    await expect(first).rejects.toThrow(TaskTimeoutError);
    await expect(second).rejects.toThrow("Task exceeded maximum timeout value (0.02 seconds)");
    expect(await q.fetchGroup("g")).toMatchObject([
      { error: { name: "TaskTimeoutError" } },
      { error: { name: "TaskTimeoutError" } },
    ]);
  });

  it("keeps what the task reported (P099)", async () => {
    const reporting = task("sync.reporting", () => {
      currentTask()?.progress(3, 10, "three of ten");
      currentTask()?.log("half way");
    });

    const id = await q.asyncTask(reporting);

    await expect
      .poll(async () => (await q.status(id))?.notes)
      .toMatchObject({
        progress: { done: 3, total: 10, note: "three of ten" },
        log: [{ text: "half way" }],
      });
  });

  it("leaves no record of a success with save: false (P072)", async () => {
    const id = await q.asyncTask(double.with({ save: false }), 1);

    expect(await q.status(id)).toBeUndefined();
  });

  it("refuses a task that this process does not have", async () => {
    await expect(q.asyncTask("sync.doubel", 1)).rejects.toThrow(UnknownTaskError);
    await expect(q.asyncTask("sync.doubel", 1)).rejects.toThrow(
      /Did you mean "sync\.double"\? Sync mode runs it in this process/,
    );
  });

  it("refuses a result that cannot be carried, with its path (P114)", async () => {
    const bad = task("sync.bad", () => ({ connection: () => 1 }));

    await expect(q.asyncTask(bad)).rejects.toThrow(/result\.connection/);
  });

  it("runs the links of asyncTasks in their order", async () => {
    const ids = await q.asyncTasks([link(double, 1), link(double.with({ sync: false }), 2), link(double, 3)]);

    expect(await Promise.all(ids.map((id) => q.result(id)))).toEqual([2, undefined, 6]);
  });

  it("checks options like any request", async () => {
    await expect(async () => await q.asyncTask(double.with({ priority: 1_000 }), 1)).rejects.toThrow(OptionError);
  });
});
