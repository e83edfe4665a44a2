import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ref, signals } from "qluster";
import type { TaskOptions } from "qluster";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deriveId } from "../../src/core/ids.js";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const limit = { wait: "30s" } as const;

/** What a task has told the trace file as JSON, by a word in front. */
function told(shop: Workshop, word: string): Record<string, unknown>[] {
  return shop
    .trace()
    .filter((line) => line.startsWith(`${word} {`))
    .map((line) => JSON.parse(line.slice(word.length)) as Record<string, unknown>);
}

describe("a hook", () => {
  const tasks = `
    export function onDone(finished) { trace("hooked " + JSON.stringify({ ...finished, inside: currentTask().id })); }
    export function onFail(finished) { trace("hooked " + JSON.stringify(finished)); throw new Error("hook broke"); }
  `;
  let shop: Workshop;
  let log: (text: RegExp) => Promise<unknown>;
  beforeAll(async () => {
    shop = await workshop({ workers: 2, attempts: 1, unknownFor: "1500ms" }, tasks);
    log = (await shop.cluster()).says;
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  const hooksOf = (id: string): Record<string, unknown>[] => told(shop, "hooked").filter((one) => one["id"] === id);
  const hooked = async (id: string, count = 1): Promise<Record<string, unknown>[]> => {
    await until(() => hooksOf(id).length >= count, `${count} hooks of ${id}`);
    return hooksOf(id);
  };

  it("is told of a success with its whole record, as a task of its own (P342, P349)", async () => {
    const options = { hook: "jobs.onDone", group: "hooked", taskName: "sum" } as const;
    const id = await shop.q.asyncTask(ref("jobs.add", options), 1, 2);
    const [finished] = await hooked(id);

    const record = { id, name: "sum", func: "jobs.add", args: [1, 2], group: "hooked", queue: "test" };
    expect(finished).toMatchObject({ ...record, success: true, result: 3, attempts: 1 });
    expect(finished!["inside"]).toBe(deriveId(id, "hook"));
    expect(await shop.q.fetch(deriveId(id, "hook"), limit)).toMatchObject({ success: true, func: "jobs.onDone" });
    expect(await shop.q.countGroup("hooked")).toBe(1);
  });

  it.each<[string, string, unknown[], TaskOptions, string]>([
    ["threw (P343)", "fails", [], {}, "boom told"],
    ["timed out and gave in (P307)", "obeys", [], { timeout: "200ms" }, "exceeded maximum timeout value"],
    ["had to be killed at its time-out (P307)", "spin", [], { timeout: "200ms" }, "exceeded maximum timeout value"],
    ["killed its worker (P305)", "exits", [7], {}, "exit code 7"],
  ])("is told of a task that %s", async (_, name, args, options, message) => {
    const id = await shop.q.asyncTask(ref(`jobs.${name}`, { ...options, hook: "jobs.onDone" }), "told", ...args);

    const [finished] = await hooked(id);

    const error = { message: expect.stringContaining(message) };
    expect(finished).toMatchObject({ success: false, attempts: 1, error });
  });

  it("is told of a task that was cancelled while it ran", async () => {
    const id = await shop.q.asyncTask(ref("jobs.obeys", { hook: "jobs.onDone" }), "cancelled running");
    await until(async () => (await shop.q.status(id))?.state === "running", "the task to run");

    await shop.q.cancel(id);

    expect(await hooked(id)).toMatchObject([{ success: false, error: { name: "TaskAbortedError" } }]);
  });

  it("is told of a task that was cancelled while it waited", async () => {
    const id = await shop.q.asyncTask(ref("jobs.noop", { hook: "jobs.onDone", delay: "1h" }));

    expect(await shop.q.cancel(id)).toBe("cancelled");

    expect(await hooked(id)).toMatchObject([{ success: false, attempts: 0, error: { name: "CancelledError" } }]);
  });

  it("is told of a task that expired", async () => {
    const backoff = { base: "600ms", jitter: 0 } as const;
    const options = { hook: "jobs.onDone", attempts: 2, backoff, expires: "500ms" } as const;
    const id = await shop.q.asyncTask(ref("jobs.fails", options), "expires");

    expect(await hooked(id)).toMatchObject([{ success: false, attempts: 1, error: { name: "ExpiredError" } }]);
  });

  it("runs once at the final outcome, or after each attempt on request (P346)", async () => {
    const retried = { attempts: 3, backoff: { base: "10ms" }, hook: "jobs.onDone" } as const;
    const once = await shop.q.asyncTask(ref("jobs.fails", retried), "once");
    const each = await shop.q.asyncTask(ref("jobs.fails", { ...retried, hookOn: "attempt" }), "each");
    await hooked(each, 3);
    await hooked(once);

    const attempts = hooksOf(each).map((finished) => Number(finished["attempts"]));
    expect(attempts.sort()).toEqual([1, 2, 3]);
    expect(hooksOf(once)).toMatchObject([{ attempts: 3 }]);
  });

  it("runs also when the success leaves no record (P348)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.add", { hook: "jobs.onDone", save: false }), 2, 2);

    expect(await hooked(id)).toMatchObject([{ success: true, result: 4 }]);
    expect(await shop.q.status(id)).toBeUndefined();
  });

  it("that fails is tried again, said in the log, and changes nothing (P345)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.add", { hook: "jobs.onFail", taskName: "calm" }), 1, 1);
    await hooked(id, 3);

    const hook = await shop.q.fetch(deriveId(id, "hook"), limit);

    expect(hook).toMatchObject({ success: false, attempts: 3, error: { message: "hook broke" } });
    expect(await shop.q.fetch(id)).toMatchObject({ success: true, result: 2, attempts: 1 });
    await log(/return hook jobs\.onFail failed on \[calm\] because hook broke/);
  });

  it("that nobody knows fails with the nearest name; its task stays as it is (P344)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.add", { hook: "jobs.onDon", taskName: "typo" }), 1, 1);

    const hook = await shop.q.fetch(deriveId(id, "hook"), limit);

    expect(hook).toMatchObject({
      success: false,
      attempts: 0,
      error: { message: expect.stringContaining('Did you mean "jobs.onDone"?') },
    });
    expect(await shop.q.fetch(id)).toMatchObject({ success: true, result: 2 });
    await log(/malformed return hook 'jobs\.onDon' for \[typo\]/);
  });
});

describe("signals", () => {
  const tasks = `
    import { readFileSync } from "node:fs";
    import { createQluster, signals } from "qluster";
    const config = JSON.parse(readFileSync(new URL("./qluster.config.1.json", import.meta.url), "utf8"));
    const q = createQluster(config);
    const say = (word, facts) => trace(word + " " + JSON.stringify({ ...facts, pid: process.pid }));
    const of = ({ id, success, result, error, attempts, name }) => ({ id, name, success, result, error: error?.message, attempts });
    signals.postSpawn.connect((worker) => say("postSpawn", { worker }));
    signals.preExecute.connect((func, task) => {
      say("preExecute", { id: task.id, func: func.name, name: task.name });
      if (task.args[0] === "change me") task.args[0] = "changed";
    });
    signals.postExecuteInWorker.connect((func, task) => say("postExecuteInWorker", { ...of(task), func: func.name }));
    signals.postExecute.connect(async (task) => {
      const stored = await q.status(task.id);
      say("postExecute", { ...of(task), stored: stored?.state });
    });
  `;
  let shop: Workshop;
  let workers: number[];
  beforeAll(async () => {
    shop = await workshop({ workers: 2, attempts: 1 }, tasks);
    workers = (await shop.cluster()).workers();
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  const steps = (id: string): { word: string; facts: Record<string, unknown> }[] =>
    shop
      .trace()
      .filter((line) => line.includes(id))
      .map((line) => {
        const [word = "", ...rest] = line.split(" ");
        return { word, facts: word === "start" ? {} : (JSON.parse(rest.join(" ")) as Record<string, unknown>) };
      });
  const stepsUntil = async (id: string, word: string, count = 1): Promise<ReturnType<typeof steps>> => {
    const there = (): boolean => steps(id).filter((step) => step.word === word).length >= count;
    await until(there, `${count} ${word} of ${id}`);
    return steps(id);
  };

  it("tell of every worker that starts, in that worker (P332, P339)", () => {
    const spawned = told(shop, "postSpawn");

    expect(spawned.map(({ worker }) => worker).sort()).toEqual(["Process-1", "Process-2"]);
    expect(spawned.map(({ pid }) => pid).sort()).toEqual(workers.sort());
  });

  it("come in their order, each where it happens, the last one after the result is stored (P310, P333, P334, P335)", async () => {
    const before: string[] = [];
    const disconnect = signals.preEnqueue.connect((task) => void before.push(task.id));
    const id = await shop.q.asyncTask(ref("jobs.traced", { taskName: "steps" }), "in order");
    disconnect();
    const seen = await stepsUntil(id, "postExecute");

    expect(before).toEqual([id]);
    expect(seen.map(({ word }) => word)).toEqual(["preExecute", "start", "postExecuteInWorker", "postExecute"]);
    expect(seen[0]!.facts).toMatchObject({ func: "traced", name: "steps" });
    expect(seen[2]!.facts).toMatchObject({ func: "traced", success: true, result: "in order", attempts: 1 });
    expect(seen[3]!.facts).toMatchObject({ name: "steps", success: true, result: "in order", stored: "succeeded" });
    for (const { facts } of seen.filter(({ word }) => word !== "start")) expect(workers).toContain(facts["pid"]);
  });

  it("before the start may change the arguments (P336)", async () => {
    const id = await shop.q.asyncTask("jobs.traced", "change me");

    expect(await shop.q.result(id, limit)).toBe("changed");
  });

  it("come after each failed attempt as well (P338)", async () => {
    const id = await shop.q.asyncTask(ref("jobs.fails", { attempts: 2, backoff: { base: "300ms" } }), "twice");
    const seen = await stepsUntil(id, "postExecute", 2);

    const inWorker = seen.filter(({ word }) => word === "postExecuteInWorker").map(({ facts }) => facts);
    const stored = seen.filter(({ word }) => word === "postExecute").map(({ facts }) => facts);
    expect(inWorker).toMatchObject([1, 2].map((attempts) => ({ success: false, error: "boom twice", attempts })));
    expect(stored).toMatchObject([
      { success: false, attempts: 1, stored: "retrying" },
      { success: false, attempts: 2, stored: "failed" },
    ]);
  });

  it.each<[string, unknown[], TaskOptions, string]>([
    ["exits", [3], {}, "exit code 3"],
    ["spin", [], { timeout: "200ms" }, "exceeded maximum timeout value"],
  ])(
    "after the store tell of attempts whose worker died too: %s (P338, P305)",
    async (name, args, options, message) => {
      const id = await shop.q.asyncTask(ref(`jobs.${name}`, options), "dies", ...args);
      const seen = await stepsUntil(id, "postExecute");

      expect(seen.map(({ word }) => word)).toEqual(["preExecute", "start", "postExecute"]);
      expect(seen[2]!.facts).toMatchObject({
        success: false,
        stored: "failed",
        error: expect.stringContaining(message),
      });
    },
  );
});

it("docs/hooks-and-signals.md shows what works: a hook for one request, a signal for every task (P351)", async () => {
  const page = readFileSync("docs/hooks-and-signals.md", "utf8");
  const [, code = ""] = /```js\n([^]*?)```/.exec(page) ?? [];
  await using shop = await workshop({ workers: 1, attempts: 1, tasks: ["reviews.mjs"] });
  writeFileSync(join(shop.folder, "reviews.mjs"), code);
  await shop.cluster();
  const lines = (name: string): string[] => {
    const file = join(shop.folder, name);
    return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").sort() : [];
  };
  const moderate = (taskName: string) => ref("reviews.moderateReview", { hook: "reviews.notifyClient", taskName });

  await shop.q.asyncTask(moderate("first look"), 42);
  await shop.q.asyncTask(moderate("second look"), -1);
  await shop.q.asyncTask(ref("reviews.moderateReview", { taskName: "untold" }), 7);

  await until(() => lines("letters.txt").length === 2, "two letters");
  expect(lines("letters.txt")).toEqual(["Review -1: not checked: there is no such review", "Review 42: approved"]);
  const logged = ["first look: approved", "second look: there is no such review", "untold: rejected"];
  await until(() => logged.every((line) => lines("log.txt").includes(line)), "a line for every task");
});

describe("signal handlers that misbehave", () => {
  it("by throwing are logged, and cost no task (P311, P341)", async () => {
    const tasks = `
      import { signals } from "qluster";
      signals.postSpawn.connect(() => { throw new Error("bad postSpawn"); });
      signals.preExecute.connect(() => { throw new Error("bad preExecute"); });
      signals.postExecuteInWorker.connect(async () => { throw new Error("bad postExecuteInWorker"); });
      signals.postExecute.connect(async () => { throw new Error("bad postExecute"); });
    `;
    await using shop = await workshop({ workers: 1 }, tasks);
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask("jobs.add", 1, 2);

    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, result: 3, attempts: 1 });
    const failures = (): unknown[] =>
      cluster.log.filter((line) => line.msg.startsWith("A signal handler")).map((line) => line["err"]);
    await until(() => failures().length === 4, "four lines");
    expect(failures()).toMatchObject(
      ["postSpawn", "preExecute", "postExecuteInWorker", "postExecute"].map((name) => ({ message: `bad ${name}` })),
    );
    expect(await shop.q.clusters()).toMatchObject([{ reincarnations: 0 }]);
  });

  it("by hanging hold a task up for a while, and do not cost it, though its time is over meanwhile (P341)", async () => {
    const tasks = `
      import { signals } from "qluster";
      signals.postExecuteInWorker.connect(() => new Promise(() => {}));
    `;
    await using shop = await workshop({ workers: 1, timeout: "500ms", attempts: 1 }, tasks);
    await shop.cluster();

    const id = await shop.q.asyncTask("jobs.add", 1, 2);

    expect(await shop.q.fetch(id, limit)).toMatchObject({ success: true, result: 3, attempts: 1 });
    expect(await shop.q.fetch(await shop.q.asyncTask("jobs.fails", "own"), limit)).toMatchObject({
      error: { message: "boom own" },
    });
  });

  it("by hanging before the start are left behind after 5 seconds (P341)", async () => {
    const tasks = `
      import { signals } from "qluster";
      signals.preExecute.connect(() => new Promise(() => {}));
    `;
    await using shop = await workshop({ workers: 1 }, tasks);
    const cluster = await shop.cluster();

    const id = await shop.q.asyncTask("jobs.add", 1, 2);

    expect(await shop.q.result(id, limit)).toBe(3);
    const line = await cluster.says(/signal handler/);
    expect(line["err"]).toMatchObject({ message: expect.stringContaining("longer than 5000 ms") });
  });
});

it("an error reporter is told of every failed attempt, also of time-outs and dead workers (P051, P352, P354)", async () => {
  await using shop = await workshop({ workers: 1, attempts: 1, errorReporters: ["reporter.mjs"] });
  const reporter = `
    import { appendFileSync } from "node:fs";
    let calls = 0;
    export default { report(error, task) {
      appendFileSync(new URL("./trace.log", import.meta.url), "reported " + JSON.stringify({ ...task, name: error.name, message: error.message }) + "\\n");
      if (++calls === 1) throw new Error("the reporter broke");
    } };
  `;
  writeFileSync(join(shop.folder, "reporter.mjs"), reporter);
  const cluster = await shop.cluster();

  const enqueue = async (name: string, options: TaskOptions, ...args: unknown[]): Promise<string> =>
    await shop.q.asyncTask(ref(`jobs.${name}`, options), "reported", ...args);
  const backoff = { base: "10ms" } as const;
  const ids = [
    await enqueue("fails", { attempts: 2, backoff }),
    await enqueue("obeys", { timeout: "200ms" }),
    await enqueue("spin", { timeout: "200ms" }),
    await enqueue("exits", {}, 4),
  ];
  for (const id of ids) expect(await shop.q.fetch(id, limit)).toMatchObject({ success: false });

  await until(() => told(shop, "reported").length >= 5, "five reports");
  const [threw, obeyed, spun, died] = ids.map((id) => told(shop, "reported").filter((one) => one["id"] === id));
  expect(threw).toMatchObject([1, 2].map((attempt) => ({ func: "jobs.fails", attempt, message: "boom reported" })));
  expect(obeyed).toMatchObject([{ func: "jobs.obeys", attempt: 1, name: "TaskTimeoutError" }]);
  expect(spun).toMatchObject([{ func: "jobs.spin", attempt: 1, name: "TaskTimeoutError" }]);
  expect(died).toMatchObject([{ func: "jobs.exits", attempt: 1, name: "WorkerDiedError" }]);
  await cluster.says(/error reporter failed/);
});
