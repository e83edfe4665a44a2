import { describe, expect, it } from "vitest";
import { link, parallel, previous, ref } from "qluster";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const extra = `
export function sum(numbers) { return numbers.reduce((a, b) => a + b, 0); }
export function done(finished) { trace(["done", finished.id, finished.success, JSON.stringify(finished.result ?? finished.error.message)].join(" ")); }
export function flaky(label) { if (currentTask().attempt < 3) throw new Error("not yet"); return label; }
`;

async function ended(shop: Workshop, chain: string): Promise<void> {
  await until(async () => (await shop.q.flow(chain))?.state !== "open", "the chain to end");
}

async function said(shop: Workshop, text: RegExp): Promise<string> {
  await until(() => shop.trace().some((line) => text.test(line)), `a line like ${String(text)}`);
  return shop.trace().find((line) => text.test(line)) ?? "";
}

describe("a chain in a cluster", () => {
  it("hands results from worker to worker, and calls onComplete with all of them (P147, P151, P158, P161)", async () => {
    await using shop = await workshop({}, extra);
    await shop.cluster();

    const chain = await shop.q.asyncChain(
      [
        link("jobs.add", 1, 2),
        parallel([link("jobs.add", previous(), 10), link(ref("jobs.add", { save: false }), 20, previous())]),
        link("jobs.sum", previous()),
      ],
      { onComplete: "jobs.done" },
    );

    expect(await shop.q.resultGroup(chain, { wait: "20s" })).toEqual([3, [13, 23], 36]);
    expect(await said(shop, /^done /)).toBe(`done ${chain} true [3,[13,23],36]`);
  });

  it("goes on once after a link that was tried three times (P153)", async () => {
    await using shop = await workshop({ workers: 1 }, extra);
    await shop.cluster();

    const chain = await shop.q.asyncChain([link("jobs.flaky", "a"), link("jobs.traced", previous())]);

    expect(await shop.q.resultGroup(chain, { wait: "20s" })).toEqual(["a", "a"]);
    expect(shop.trace().filter((line) => line.startsWith("start"))).toHaveLength(1);
  });

  it("tells onComplete where it stopped (P152, P158)", async () => {
    await using shop = await workshop({ attempts: 1 }, extra);
    await shop.cluster();

    const chain = await shop.q.asyncChain([link("jobs.noop"), link("jobs.fails", "x"), link("jobs.noop")], {
      onComplete: "jobs.done",
    });

    await ended(shop, chain);
    expect(await said(shop, /^done /)).toBe(`done ${chain} false "Link 2 of 3 failed: Error: boom x"`);
    expect((await shop.q.flow(chain))?.links.map(({ state }) => state)).toEqual(["succeeded", "failed", "waiting"]);
  });

  it("has no link that completes itself in a transaction: the chain would not hear of it", async () => {
    const inTransaction = `
      export async function selfmade() { await currentTask().completeIn({}, 1); }
    `;
    await using shop = await workshop({ attempts: 1 }, extra + inTransaction);
    await shop.cluster();

    const chain = await shop.q.asyncChain([link("jobs.selfmade")]);

    await ended(shop, chain);
    expect((await shop.q.flow(chain))?.error?.message).toContain("completeIn cannot end a member of a chain");
  });

  it("can be cancelled while a link runs (P159)", async () => {
    await using shop = await workshop({}, extra);
    await shop.cluster();
    const chain = await shop.q.asyncChain([link("jobs.obeys", "x"), link("jobs.traced", "never")]);
    await said(shop, /^start x/);

    expect(await shop.q.cancel(chain)).toBe("cancelled");

    await until(async () => (await shop.q.flow(chain))?.links[0]?.state === "cancelled", "the link to end");
    expect((await shop.q.flow(chain))?.state).toBe("cancelled");
    expect(shop.trace().filter((line) => line.includes("never"))).toEqual([]);
  });
});
