import { beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue, testConfig } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { FlowError, OptionError, TaskFailedError, UnencodableError } from "../errors.js";
import { createQluster } from "./create-qluster.js";
import type { IterElement } from "./iter-types.js";
import { task } from "./task.js";
import type { Qluster } from "./types.js";

const double = task("iter.double", (n: number) => n * 2);
const add = task("iter.add", (a: number, b: number) => a + b);
const total = task("iter.total", (numbers: readonly number[]) => numbers.length);
const even = task("iter.even", (n: number) => {
  if (n % 2 === 1) throw new RangeError(`${n} is odd`);
  return n;
});
const told: unknown[] = [];
const listen = task("iter.listen", (finished: { readonly result: unknown }) => void told.push(finished.result));
const loose = (q: Qluster): ((target: unknown, elements: unknown, options?: unknown) => Promise<string>) =>
  q.asyncIter as never;

describe.each(backends)("iterables on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));
  beforeEach(() => void (told.length = 0));

  async function runAll(): Promise<number> {
    let ran = 0;
    for (let some = await runQueued(backend); some > 0; some = await runQueued(backend)) ran += some;
    return ran;
  }

  async function elements<R>(stream: AsyncIterable<IterElement<R>>): Promise<IterElement<R>[]> {
    const all: IterElement<R>[] = [];
    for await (const element of stream) all.push(element);
    return all;
  }

  it("queue one task for each element, and give one list in the order of the input (P078, P132, P138)", async () => {
    const iter = await q.asyncIter(double, [3, 1, 2]);
    const waiting = q.result(iter, { wait: "10s" });

    expect(await runAll()).toBe(3);

    expect(await waiting).toEqual([6, 2, 4]);
    expect(await q.resultGroup(iter)).toEqual([6, 2, 4]);
  });

  it("spread an element that is an array, and take any other as the one argument (P133)", async () => {
    const sums = await q.asyncIter(add, [
      [1, 2],
      [3, 4],
    ]);
    const lengths = await q.asyncIter(total, [[[1, 2]], [[]]]);
    await runAll();

    expect(await q.result(sums)).toEqual([3, 7]);
    expect(await q.result(lengths)).toEqual([2, 0]);
  });

  it("leave one record, with the original list and the name and label of the task (P134, P135)", async () => {
    const iter = await q.asyncIter(double.with({ group: "g", taskName: "nightly" }), [1, 2]);
    await runAll();

    const record = await q.fetch(iter);

    expect(record).toMatchObject({
      id: iter,
      func: "iter.double",
      name: "nightly",
      group: "g",
      args: [1, 2],
      success: true,
    });
    expect(record?.result).toEqual([2, 4]);
    expect((await backend.store.counts(10)).succeeded).toBe(0);
    expect(await q.countGroup("g")).toBe(1);
    expect(await q.resultGroup("g")).toEqual([[2, 4]]);
    expect((await q.fetchGroup("g"))?.[0]?.result).toEqual([2, 4]);
  });

  it("complete at once when they are empty (P142)", async () => {
    const iter = await q.asyncIter(double, []);

    expect(await q.result(iter)).toEqual([]);
    expect(await elements(q.results(iter))).toEqual([]);
  });

  it("take generators and asynchronous ones, in batches, and say how far they are (P143)", async () => {
    async function* source(): AsyncGenerator<number> {
      for (let n = 0; n < 2_500; n++) yield n;
    }
    const progress: number[] = [];

    const iter = await q.asyncIter(double, source(), { onProgress: (done) => void progress.push(done) });

    expect(progress).toEqual([1_000, 2_000, 2_500]);
    expect(await q.status(iter)).toMatchObject({ state: "running", notes: { progress: { done: 0, total: 2_500 } } });
    expect(await runAll()).toBe(2_500);
    const results = (await q.result(iter)) ?? [];
    expect(results.length).toBe(2_500);
    expect(results.every((value, n) => value === n * 2)).toBe(true);
  });

  it("mark what failed in its place, and fail as a whole (P139)", async () => {
    const iter = await q.asyncIter(even.with({ attempts: 1 }), [0, 1, 2, 3]);
    await runAll();

    await expect(q.result(iter)).rejects.toThrow(TaskFailedError);
    await expect(q.result(iter)).rejects.toThrow("2 of 4 elements failed, the first at place 1: RangeError: 1 is odd");
    const all = await elements(q.results(iter));
    expect(all.map(({ index, success, result }) => [index, success, result])).toEqual([
      [0, true, 0],
      [1, false, undefined],
      [2, true, 2],
      [3, false, undefined],
    ]);
    expect(all[1]?.error?.message).toContain("1 is odd");
    expect(await q.resultGroup(iter, { failures: true })).toEqual([
      0,
      expect.any(TaskFailedError),
      2,
      expect.any(TaskFailedError),
    ]);
    expect(await q.flow(iter)).toMatchObject({
      kind: "iter",
      state: "failed",
      size: 4,
      done: 4,
      failed: 2,
      failedAt: 1,
    });
  });

  it("can be read while they run, in order", async () => {
    const iter = await q.asyncIter(double, [1, 2, 3]);
    const stream = q.results(iter)[Symbol.asyncIterator]();
    const first = stream.next();

    await runAll();

    expect((await first).value).toMatchObject({ index: 0, result: 2 });
    expect((await stream.next()).value).toMatchObject({ index: 1, result: 4 });
  });

  it("refuse a list that is larger than maxResult, and name the way to read it", async () => {
    const small = createQluster({ ...testConfig, maxResult: "1KB" }, { backend, env: {} });
    const iter = await small.asyncIter(
      double,
      Array.from({ length: 50 }, (_none, n) => n),
    );
    await runAll();

    await expect(small.result(iter)).rejects.toThrow(FlowError);
    await expect(small.result(iter)).rejects.toThrow(`q.results("${iter}")`);
    const record = await small.fetch(iter);
    expect(record?.success).toBe(true);
    expect(() => record?.result).toThrow("maxResult");
    expect(await elements(small.results(iter))).toHaveLength(50);
    await small.close();
  });

  it("keep the options of the task, and change nothing of the caller's (P144)", async () => {
    const options = { attempts: 7, queue: "media", timeout: "9s" } as const;
    const list = [[1], [2]] as [number][];

    await q.asyncIter(double.with(options), list);

    const [message] = await backend.broker.list("media", { limit: 1 });
    expect(options).toEqual({ attempts: 7, queue: "media", timeout: "9s" });
    expect(list).toEqual([[1], [2]]);
    expect(await q.queueSize("media")).toBe(2);
    if (backend.store.capabilities.atomic)
      expect(JSON.parse(message?.envelope.split("\n")[0] ?? "")).toMatchObject({ attempts: 7, timeout: 9_000 });
  });

  it("cancel what was enqueued when the source fails, an element is refused, or the caller gives up", async () => {
    function* broken(): Generator<number> {
      for (let n = 0; n < 1_500; n++) yield n;
      throw new Error("the source is dry");
    }
    function* unfit(): Generator {
      for (let n = 0; n < 1_500; n++) yield n;
      yield () => 1;
    }
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error("enough"));

    await expect(q.asyncIter(double, broken())).rejects.toThrow("the source is dry");
    await expect(loose(q)(double, unfit())).rejects.toThrow(UnencodableError);
    await expect(loose(q)(double, unfit())).rejects.toThrow("At place 1500 of asyncIter: ");
    await expect(q.asyncIter(double, Array(3_000).fill(1), { onProgress, signal: abort.signal })).rejects.toThrow(
      "enough",
    );

    expect(await q.queueSize()).toBe(0);
  });

  it("can be cancelled (P135)", async () => {
    const iter = await q.asyncIter(double, [1, 2, 3]);

    expect(await q.cancel(iter)).toBe("cancelled");

    expect(await q.queueSize()).toBe(0);
    await expect(q.result(iter)).rejects.toThrow("The iterable was cancelled.");
  });

  it("run in the caller's process in sync mode, with their hook", async () => {
    const iter = await q.asyncIter(double.with({ sync: true }), [1, 2], { hook: listen });

    expect(await q.result(iter)).toEqual([2, 4]);
    expect(told).toEqual([[2, 4]]);
    await expect(q.asyncIter(even.with({ sync: true }), [1, 2])).rejects.toThrow("1 is odd");
  });

  it.each<[string, unknown, unknown, unknown, string]>([
    ["what is no iterable", double, 7, undefined, "asyncIter got 7; expected a list"],
    ["a text", double, "abc", undefined, 'asyncIter got "abc"; expected a list'],
    ["nothing", double, undefined, undefined, "asyncIter got undefined"],
    ["a unique task", double.with({ unique: "k" }), [1], undefined, "At place 0 of asyncIter: The option unique"],
    ["an unknown option", double, [1], { hok: "x" }, 'There is no option "hok" of an iterable. Did you mean hook?'],
    ["a wrong onProgress", double, [1], { onProgress: 1 }, "The option onProgress is 1; expected a function"],
  ])("refuse %s", async (_name, target, list, options, message) => {
    await expect(loose(q)(target, list, options)).rejects.toThrow(OptionError);
    await expect(loose(q)(target, list, options)).rejects.toThrow(message);
    expect(await q.queueSize()).toBe(0);
  });
});
