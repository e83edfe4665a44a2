import { beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.js";
import { eachQueue } from "../../test/support/each-queue.js";
import { runQueued } from "../../test/support/run-queued.js";
import type { Backend } from "../contracts/backend.js";
import { FlowError, OptionError, PreviousError, TaskFailedError } from "../errors.js";
import { link, parallel, previous } from "./link.js";
import { ref, task } from "./task.js";
import type { Qluster } from "./types.js";

const one = task("chain.one", () => 1);
const double = task("chain.double", (n: number) => n * 2);
const add = task("chain.add", (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0));
const pack = task("chain.pack", (box: { readonly label: string; readonly items: readonly unknown[] }) => box);
const maybe = task("chain.maybe", (n: number | undefined) => n ?? "nothing");
let isBroken = false;
const shaky = task("chain.shaky", (n: number) => {
  if (isBroken) throw new RangeError(`no ${n}`);
  return n + 100;
});
// Loosely typed, for what types refuse.
const loose = (q: Qluster): ((links: unknown, options?: unknown) => Promise<string>) => q.asyncChain as never;

describe.each(backends)("chains on %s", (_, open) => {
  let backend: Backend;
  let q: Qluster;
  eachQueue(open, (fresh) => ({ q, backend } = fresh));
  beforeEach(() => void (isBroken = true));

  async function runAll(): Promise<number> {
    let ran = 0;
    for (let some = await runQueued(backend); some > 0; some = await runQueued(backend)) ran += some;
    return ran;
  }

  it("run their links one after the other, each with the result of the one before, and give results in that order (P147, P149, P151, P157)", async () => {
    const chain = await q.asyncChain([
      link(double, 4),
      link(double, previous()),
      link(pack, { label: "x", items: [previous()] }),
    ]);

    expect(await runQueued(backend)).toBe(1);
    expect(await q.queueSize()).toBe(1);
    await runAll();

    expect(await q.resultGroup(chain)).toEqual([8, 16, { label: "x", items: [16] }]);
  });

  it("take links as functions, names, refs and with options of their own (P079, P148)", async () => {
    const chain = await q.asyncChain([
      one,
      "chain.one",
      ref("chain.one"),
      link(one.with({ taskName: "last", attempts: 7 })),
    ]);
    await runAll();

    expect(await q.resultGroup(chain)).toEqual([1, 1, 1, 1]);
    const records = await q.fetchGroup(chain);
    expect(records?.map(({ func }) => func)).toEqual(Array.from({ length: 4 }, () => "chain.one"));
    expect(records?.at(-1)?.name).toBe("last");
  });

  it("give all links one label: the chain's id, or a group (P080, P147)", async () => {
    const chain = await q.asyncChain([one, one], { group: "report" });
    const plain = await q.asyncChain([one]);
    await runAll();

    expect(await q.countGroup("report")).toBe(2);
    expect((await q.fetchGroup(chain))?.map(({ group }) => group)).toEqual(["report", "report"]);
    expect((await q.fetchGroup(plain))?.map(({ group }) => group)).toEqual([plain]);
  });

  it("are waited for as a whole, or for so many links (P150)", async () => {
    const chain = await q.asyncChain([one, one, one]);
    const all = q.resultGroup(chain, { count: 3 });
    const whole = q.resultGroup(chain, { wait: "10s" });
    expect(await q.resultGroup(chain)).toBeUndefined();

    await runQueued(backend);
    expect(await q.resultGroup(chain)).toEqual([1]);
    expect(await q.resultGroup(chain, { count: 2, wait: 20 })).toBeUndefined();
    await runAll();

    expect(await all).toEqual([1, 1, 1]);
    expect(await whole).toEqual([1, 1, 1]);
    expect(await q.countGroup(chain)).toBe(3);
  });

  it("stop at a link that failed, and wait for no more than there will be (P152)", async () => {
    const chain = await q.asyncChain([
      link(double, 1),
      link(shaky.with({ attempts: 1 }), previous()),
      link(double, previous()),
    ]);
    await runAll();

    expect(await q.resultGroup(chain, { count: 3 })).toEqual([2]);
    const [, error] = (await q.resultGroup(chain, { failures: true })) as unknown[];
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(await q.countGroup(chain, { failures: true })).toBe(1);
    const status = await q.flow(chain);
    expect(status).toMatchObject({
      kind: "chain",
      state: "failed",
      size: 3,
      done: 2,
      failed: 1,
      current: 1,
      failedAt: 1,
    });
    expect(status?.error?.message).toBe("Link 2 of 3 failed: RangeError: no 2");
    expect(status?.links.map(({ state }) => state)).toEqual(["succeeded", "failed", "waiting"]);
  });

  it("go on after a failure when asked to, with undefined in its place (P152)", async () => {
    const chain = await q.asyncChain([link(shaky.with({ attempts: 1 }), 1), link(maybe, previous())], {
      onFailure: "continue",
    });
    await runAll();

    expect(await q.resultGroup(chain)).toEqual([undefined, "nothing"]);
    expect((await q.flow(chain))?.state).toBe("failed");
  });

  it("run links of a step side by side, and hand on their results as an array (P161)", async () => {
    const chain = await q.asyncChain([
      link(double, 1),
      parallel([link(double, previous()), link(shaky, 5), link(double, 3)]),
      link(add, previous()),
      parallel([link(double, previous())]),
    ]);
    isBroken = false;
    await runQueued(backend);
    expect(await q.queueSize()).toBe(3);
    await runAll();

    expect(await q.resultGroup(chain)).toEqual([2, [4, 105, 6], 115, [230]]);
    expect((await q.flow(chain))?.size).toBe(6);
  });

  it("go on whatever is kept of a success (P154)", async () => {
    const chain = await q.asyncChain([
      link(double.with({ save: false }), 2),
      link(double.with({ save: false }), previous()),
    ]);
    expect(await runAll()).toBe(2);

    expect(await q.resultGroup(chain)).toEqual([4, 8]);
    expect(await q.fetchGroup(chain)).toEqual([]);
  });

  it("leave the caller's list and arguments as they were (P155)", async () => {
    const box = { label: "x", items: [previous()] };
    const links = [link(one), link(pack, box)] as const;
    const copy = [...links];

    await q.asyncChain(links);
    const again = await q.asyncChain(links);
    await runAll();

    expect(links).toEqual(copy);
    expect(box).toEqual({ label: "x", items: [previous()] });
    expect(await q.resultGroup(again)).toEqual([1, { label: "x", items: [1] }]);
  });

  it("can be cancelled, and resumed at the link that did not succeed (P159)", async () => {
    const chain = await q.asyncChain([
      link(double, 1),
      link(shaky.with({ attempts: 1 }), previous()),
      link(double, previous()),
    ]);
    await runAll();
    isBroken = false;

    await q.resume(chain);
    expect((await q.flow(chain))?.state).toBe("open");
    expect(await runAll()).toBe(2);

    expect(await q.resultGroup(chain)).toEqual([2, 102, 204]);
    expect((await q.flow(chain))?.state).toBe("succeeded");
    const other = await q.asyncChain([one, one]);
    expect(await q.cancel(other)).toBe("cancelled");
    expect(await runAll()).toBe(0);
    expect((await q.flow(other))?.state).toBe("cancelled");
    await q.resume(other);
    await runAll();
    expect(await q.resultGroup(other)).toEqual([1, 1]);
  });

  it("say why they cannot be resumed", async () => {
    const chain = await q.asyncChain([one]);
    const id = await q.asyncTask(one);

    await expect(q.resume(chain)).rejects.toThrow(/cannot be resumed: it is still running/);
    await runAll();
    await expect(q.resume(chain)).rejects.toThrow(/has no link that did not succeed/);
    await expect(q.resume(id)).rejects.toThrow(FlowError);
    expect(await q.flow(id)).toBeUndefined();
  });

  it("run in the caller's process in sync mode, and throw what a link threw", async () => {
    const chain = await q.asyncChain(
      [link(double, 3), parallel([link(double, previous()), link(double, 1)]), link(add, previous())],
      {
        sync: true,
      },
    );
    expect(await q.resultGroup(chain)).toEqual([6, [12, 2], 14]);
    expect(await q.queueSize()).toBe(0);

    await expect(q.asyncChain([link(shaky, 1), one], { sync: true })).rejects.toThrow("no 1");
    expect((await backend.store.counts(10)).failed).toBe(1);
    expect(await q.queueSize()).toBe(0);
  });

  it.each<[string, unknown, unknown, string]>([
    ["no link (P156)", [], undefined, "A chain needs at least one"],
    ["no list", "chain.one", undefined, 'asyncChain got "chain.one"; expected an array'],
    ["a tuple", [["chain.one", 1]], undefined, "at place 0; expected link(task, …its arguments)"],
    ["a number", [one, 7], undefined, "asyncChain got 7 at place 1"],
    [
      "an unknown option",
      [one],
      { onFailur: "stop" },
      'There is no option "onFailur" of a chain. Did you mean onFailure?',
    ],
    ["a wrong option", [one], { onFailure: "retry" }, 'expected "stop" or "continue"'],
    ["a unique link", [one.with({ unique: "k" })], undefined, "At place 0 of the chain: The option unique"],
    ["a link in sync mode", [one.with({ sync: true })], undefined, "The option sync of chain.one"],
  ])("refuse %s", async (_name, links, options, message) => {
    await expect(loose(q)(links, options)).rejects.toThrow(OptionError);
    await expect(loose(q)(links, options)).rejects.toThrow(message);
    expect(await q.queueSize()).toBe(0);
  });

  it("refuse previous() where no link is before", async () => {
    await expect(loose(q)([link(double, previous() as never)])).rejects.toThrow(PreviousError);
    await expect(loose(q)([parallel([one, link(double, previous() as never)])])).rejects.toThrow(PreviousError);
    await expect(q.asyncTask(double, previous() as never)).rejects.toThrow(PreviousError);
    expect(() => parallel([])).toThrow("parallel got no link");
  });
});
