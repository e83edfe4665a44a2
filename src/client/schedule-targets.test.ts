import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue, testConfig } from "../../test/support/each-queue.js";
import { runQueued, testKeys } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { openRequest } from "../core/open-request.js";
import { readHeader } from "../core/task-header.js";
import { FlowError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import { batchOf, chainOf, iterOf, type FlowTarget } from "./flow-target.js";
import { link, parallel, previous } from "./link.js";
import { scheduled } from "./scheduled.js";
import type { ScheduleRule } from "./schedule-types.js";
import { ref, task } from "./task.js";
import type { FinishedTask } from "../core/task-types.js";
import type { Qluster } from "./types.js";

const add = task("target.add", (a: number, b: number) => a + b);
const sum = task("target.sum", (numbers: number[]) => numbers.reduce((a, b) => a + b, 0));
const fails = task("target.fails", (): number => {
  throw new Error("boom");
});
const dated = task("target.dated", (name: string, options?: { date: string }) => `${name} ${options?.date ?? ""}`);
const heard: string[] = [];
const told = task("target.told", (finished: FinishedTask) => {
  heard.push(`${finished.func} ${finished.success ? JSON.stringify(finished.result) : finished.error.message}`);
});
const daily = { type: "DAILY", at: "03:00" } as const;

const chain = () =>
  chainOf([link(add, 1, 2), parallel([link(add, previous(), 10), link(add, 20, previous())]), link(sum, previous())]);

describe.each(backends)("a schedule that opens a flow, on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));

  async function drain(): Promise<void> {
    while ((await runQueued(backend)) > 0);
  }

  it("runs a chain, whose links get the results before them, under the id of its run (P200)", async () => {
    const made = await q.schedule(chain(), { ...daily, name: "numbers" });
    expect(made).toMatchObject({ kind: "chain", func: "chain", size: 4, group: "numbers" });
    expect(made.funcs).toEqual(["target.add", "target.add", "target.add", "target.sum"]);
    expect(made.args[0]).toEqual([1, 2]);

    const id = await q.schedules.runNow("numbers");
    expect(await q.schedules.runs("numbers")).toMatchObject([{ taskId: id, state: "queued" }]);
    expect(await q.countGroup("numbers")).toBe(0);
    await runQueued(backend);
    expect(await q.schedules.runs("numbers")).toMatchObject([{ taskId: id, state: "running" }]);
    expect((await q.schedules.get("numbers"))?.lastTask).toBe(id);
    await drain();

    expect(await q.resultGroup(id)).toEqual([3, [13, 23], 36]);
    expect(await q.flow(id)).toMatchObject({ kind: "chain", state: "succeeded", group: "numbers" });
    expect(await q.schedules.runs("numbers")).toMatchObject([{ taskId: id, state: "succeeded" }]);
    expect(await (await q.schedules.get("numbers"))!.success()).toBe(true);
    expect(await q.countGroup("numbers")).toBe(4);
  });

  it("runs an iterable, with one record for all of its elements (P200)", async () => {
    const elements = new Set([
      [1, 2],
      [3, 4],
    ] as const);
    const made = await q.schedule(iterOf(add, elements), { ...daily, name: "sums" });
    expect(made).toMatchObject({ kind: "iter", func: "target.add", funcs: ["target.add"], size: 2 });

    const id = await q.schedules.runNow("sums");
    await drain();

    expect(await q.result(id)).toEqual([3, 7]);
    expect(await q.resultGroup("sums")).toEqual([[3, 7]]);
    expect((await q.fetch(id))?.args).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("runs a batch, and calls what it names with its end (P200)", async () => {
    await q.schedule(
      batchOf([link(add, 1, 2), link(fails), link(add, 3, 4)], {
        onComplete: told,
        onFailure: "target.told",
        onEach: told,
      }),
      { ...daily, name: "mixed", attempts: 1 },
    );

    const id = await q.schedules.runNow("mixed");
    await runQueued(backend);
    const members = await runQueued(backend);

    expect(members).toBe(3);
    expect(await q.flow(id)).toMatchObject({
      kind: "batch",
      name: "mixed",
      state: "failed",
      size: 3,
      done: 3,
      failed: 1,
    });
    expect(await q.schedules.runs("mixed")).toMatchObject([{ taskId: id, state: "failed" }]);
    heard.length = 0;
    await drain();
    // Those of the whole; what follows from the end of a member is a cluster's to write.
    expect(heard).toEqual(
      Array.from({ length: 2 }, () => "batch 1 of 3 tasks of the batch failed; the first said: Error: boom"),
    );
    expect(await q.countGroup("mixed", { failures: true })).toBe(1);
  });

  it("opens a slot's flow once, however often and by whomever its message is handled (P200, P217)", async () => {
    await q.schedule(iterOf(add, [[1, 2]]), { ...daily, name: "once" });
    const id = await q.schedules.runNow("once");
    const consume = () =>
      backend.broker.consume({ queues: ["test"], leaseMs: 60_000, cluster: { id: "c2", host: "web-2", pid: 2 } });

    // The first cluster dies after it has opened the flow, and before it says so.
    const first = await consume();
    const [taken] = await first.take({ max: 1, waitMs: 0 });
    const { openPlanned } = await import("../core/open-planned.js");
    const { openPlan } = await import("../core/schedule/flow-plan.js");
    const seal = { compress: false, encrypt: false, maxBytes: 1e6 };
    const plan = openPlan(
      { keys: testKeys, seal, maxResultBytes: 1e6 },
      "test",
      openRequest(testKeys, taken!, { maxBytes: 1e6 }),
    );
    await openPlanned(backend.store, plan);
    await first.release([taken!.receipt], {});
    await first.close();
    await drain();

    expect(await q.result(id)).toEqual([3]);
    expect(await q.countGroup("once")).toBe(1);
    expect((await backend.store.throughput(0)).reduce((all, { succeeded }) => all + succeeded, 0)).toBe(1);
    await openPlanned(backend.store, plan);
    expect(await q.queueSize()).toBe(0);
  });

  it("gives members their own options over those of the schedule, and the slot (P187, P192, P200)", async () => {
    await q.schedule(
      chainOf([link(dated.with({ timeout: "5s", hook: told }), "a"), dated.with({ delay: "1s" })] as never),
      {
        ...daily,
        name: "dated",
        group: "labelled",
        timeout: "30s",
        attempts: 7,
        priority: 3,
        hook: told,
        intendedDateKwarg: "date",
      },
    );
    const id = await q.schedules.runNow("dated");
    const [run] = await q.schedules.runs("dated");
    await runQueued(backend);

    const members = await backend.store.flows!.members(id);
    const headers = members.map(({ envelope }) => readHeader(envelope));

    expect(headers).toMatchObject([
      { timeout: 5_000, attempts: 7, priority: 3, hook: "target.told", group: "labelled", due: run!.slot.getTime() },
      { timeout: 30_000, attempts: 7, priority: 3, group: "labelled", due: run!.slot.getTime() },
    ]);
    expect(headers[1]).not.toHaveProperty("hook");
    expect(members[1]).toMatchObject({ delayMs: 1_000 });
    const date = { date: run!.slot.toISOString() };
    expect(openRequest(testKeys, { ...members[0]! }, { maxBytes: 1e6 }).args).toEqual(["a", date]);
    const [flow] = await backend.store.flows!.find([id]);
    expect(readHeader(flow!.envelope)).toMatchObject({ hook: "target.told", due: run!.slot.getTime() });
  });

  it("keeps how a flow has ended when its record is removed (P200, P222)", async () => {
    await q.schedule(chainOf([link(add, 1, 2)]), { ...daily, name: "kept" });
    const id = await q.schedules.runNow("kept");
    await drain();
    expect((await backend.store.get([id]))[0]).toMatchObject({
      kind: "chain",
      parent: (await q.schedules.get("kept"))!.id,
    });

    const limits = { successesMs: -1, failuresMs: -1, successesCount: null, per: null, groupMs: -1 };
    while ((await backend.store.clean(limits)) > 0);

    expect(await q.flow(id)).toBeUndefined();
    expect(await q.schedules.runs("kept")).toMatchObject([{ taskId: id, state: "succeeded" }]);
  });

  it("lets go of a flow that was cancelled before it was open, and while it runs (P200)", async () => {
    await q.schedule(
      iterOf(add, [
        [1, 2],
        [3, 4],
      ]),
      { ...daily, name: "cancelled", hook: told },
    );
    heard.length = 0;
    const before = await q.schedules.runNow("cancelled");
    expect(await q.cancel(before)).toBe("cancelled");
    const during = await q.schedules.runNow("cancelled");
    // Its hook, and what opens the next one.
    expect(await runQueued(backend)).toBe(2);
    expect(await q.cancel(during)).toBe("cancelled");
    await drain();

    expect((await q.schedules.runs("cancelled")).map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
    expect(heard.filter((line) => line.startsWith("target.add"))).toEqual([
      expect.stringContaining("cancelled before it started"),
      expect.stringContaining("cancelled"),
    ]);
    await expect(q.result(before)).rejects.toThrow("cancelled before it started");
    expect(await (await q.schedules.get("cancelled"))!.success()).toBe(false);
  });

  it("can be declared, and is changed only when the code has changed (P184, P200)", async () => {
    const declare = (last: number) => [
      scheduled(chainOf([link(add, 1, 2), link(add, previous(), last)]), { ...daily, name: "declared" }),
    ];

    expect(await q.schedules.sync(declare(1))).toMatchObject({ added: ["declared"] });
    expect(await q.schedules.sync(declare(1))).toMatchObject({ unchanged: ["declared"], changed: [] });
    expect(await q.schedules.sync(declare(2))).toMatchObject({ changed: ["declared"] });
    expect(await q.schedules.sync([])).toMatchObject({ removed: ["declared"] });
  });

  it("can be changed but for its links (P189, P200)", async () => {
    await q.schedule(chain(), { ...daily, name: "numbers", timeout: "1m", intendedDateKwarg: "date" });

    const after = await q.schedules.update("numbers", {
      at: "05:00",
      name: "figures",
      timeout: "5s",
      attempts: 4,
      hook: told,
      intendedDateKwarg: null,
    });

    expect(after).toMatchObject({ name: "figures", group: "figures", hook: "target.told", kind: "chain", size: 4 });
    expect(after.args[0]).toEqual([1, 2]);
    await expect(q.schedules.update("figures", { args: [1] })).rejects.toThrow("arguments of its own");
    await expect(q.schedules.update("figures", { unique: "x" })).rejects.toThrow('overlap: "skip"');
    const id = await q.schedules.runNow("figures");
    await drain();
    expect(await q.resultGroup(id)).toEqual([3, [13, 23], 36]);
    const [member] = await backend.store.flows!.members(id);
    expect(readHeader(member!.envelope)).toMatchObject({ timeout: 5_000, attempts: 4 });
    await q.schedules.update("figures", { attempts: null });
    expect(
      readHeader((await backend.store.flows!.members(await opensAgain("figures")))[0]!.envelope),
    ).not.toHaveProperty("attempts");
  });

  async function opensAgain(name: string): Promise<string> {
    const id = await q.schedules.runNow(name);
    await runQueued(backend);
    return id;
  }

  it.each<[string, () => unknown, object, RegExp]>([
    ["an empty chain", () => chainOf([] as never), {}, /chainOf got no link/],
    ["what is no link", () => chainOf([5] as never), {}, /chainOf got 5 at place 0/],
    [
      "previous() in the first link",
      () => chainOf([link(add, previous(), 1)] as never),
      {},
      /place 0 of chainOf.*previous\(\)/,
    ],
    [
      "previous() in a batch",
      () => batchOf([link(add, previous(), 1) as never]),
      {},
      /place 0 of batchOf.*previous\(\)/,
    ],
    [
      "an option that a chain does not have",
      () => chainOf([link(add, 1, 2)], { onComplet: told } as never),
      {},
      /Did you mean onComplete/,
    ],
    ["an iterable without elements", () => iterOf(add, []), {}, /iterOf got no element/],
    ["an async iterable", () => iterOf(add, (async function* () {})() as never), {}, /a task that calls asyncIter/],
    ["an empty batch", () => batchOf([]), {}, /batchOf got/],
    [
      "a value that no message carries",
      () => iterOf(add, [[1, () => 2]] as never),
      {},
      /place 0 of iterOf: .*args\[1\] is a function/,
    ],
    ["more than a message holds", () => iterOf(dated, ["x".repeat(300_000)]), {}, /maxMessage/],
    ["a unique key of a link", () => chainOf([link(add.with({ unique: "k" }), 1, 2)]), {}, /unique .*cannot hold here/],
    ["a unique key of the schedule", () => chainOf([link(add, 1, 2)]), { unique: "k" }, /overlap: "skip"/],
    ["arguments beside those of the links", () => chainOf([link(add, 1, 2)]), { args: [1] }, /arguments of its own/],
    [
      "two hooks for one end",
      () => chainOf([link(add, 1, 2)], { onComplete: told }),
      { hook: told },
      /Give one of them/,
    ],
    [
      "a time of its own for a link",
      () => chainOf([link(add.with({ runAt: new Date() }), 1, 2)]),
      {},
      /runAt .*leave it out/,
    ],
  ])("refuses %s, and stores nothing", async (__, target, rule, message) => {
    await expect(
      (async () =>
        await q.schedule(
          target() as FlowTarget,
          { ...daily, ...rule } as ScheduleRule & { args?: undefined; kwargs?: undefined },
        ))(),
    ).rejects.toThrow(message);
    expect(await q.schedules.list()).toEqual([]);
  });
});

it("refuses a flow where the database keeps none, and declares nothing (P200)", async () => {
  const { backend } = await backends[0]![1]();
  const { flows: _, ...store } = backend.store;
  const q = createQluster(testConfig, { backend: { ...backend, store: { ...store } }, env: {} });

  await expect(q.schedule(chainOf([link(add, 1, 2)]), daily)).rejects.toThrow(FlowError);
  const declared = [
    scheduled(add, { ...daily, name: "plain", args: [1, 2] }),
    scheduled(chainOf([link(ref("target.add"), 1, 2)]), { ...daily, name: "chain" }),
  ];
  await expect(q.schedules.sync(declared)).rejects.toThrow(/keeps no chains, iterables and batches/);
  expect(await q.schedules.list()).toEqual([]);
});
