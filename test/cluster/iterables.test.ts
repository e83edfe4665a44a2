import { describe, expect, it } from "vitest";
import { until, workshop } from "../support/workshop.js";

const extra = `
export function told(finished) { trace(["told", finished.id, finished.success, JSON.stringify(finished.result ?? finished.error.message)].join(" ")); }
export function square(n) { return n * n; }
export function picky(n) { if (n === 2) throw new Error("not " + n); return n; }
`;

describe("an iterable in a cluster", () => {
  it("gives one list in the order of the input, and calls its hook once with it (P136, P137, P138, P145)", async () => {
    await using shop = await workshop({}, extra);
    await shop.cluster();

    const iter = await shop.q.asyncIter("jobs.square", [3, 1, 2], { hook: "jobs.told" });

    expect(await shop.q.result(iter, { wait: "20s" })).toEqual([9, 1, 4]);
    await until(() => shop.trace().some((line) => line.startsWith("told")), "the hook");
    expect(shop.trace()).toEqual([`told ${iter} true [9,1,4]`]);
  });

  it("tells its hook what failed, after the retries (P137, P139)", async () => {
    await using shop = await workshop({ attempts: 2 }, extra);
    await shop.cluster();

    const iter = await shop.q.asyncIter("jobs.picky", [1, 2, 3], { hook: "jobs.told" });

    await until(() => shop.trace().some((line) => line.startsWith("told")), "the hook");
    const message = "1 of 3 elements failed, the first at place 1: Error: not 2";
    expect(shop.trace()).toEqual([`told ${iter} false "${message}"`]);
    const [failed] = (await shop.q.fetchGroup(iter)) ?? [];
    expect(failed).toMatchObject({ func: "jobs.picky", args: [2], attempts: 2, success: false });
  });

  it("is collated once by two clusters that finish together (P141)", async () => {
    await using shop = await workshop({ workers: 1 }, extra);
    await Promise.all([shop.cluster(), shop.cluster()]);
    const list = Array.from({ length: 400 }, (_, n) => n);

    const its = await Promise.all([1, 2, 3].map(() => shop.q.asyncIter("jobs.square", list, { hook: "jobs.told" })));

    for (const iter of its) expect(await shop.q.result(iter, { wait: "30s" })).toEqual(list.map((n) => n * n));
    await until(() => shop.trace().filter((line) => line.startsWith("told")).length >= 3, "three hooks");
    expect(shop.trace().filter((line) => line.startsWith("told"))).toHaveLength(3);
  });
});
