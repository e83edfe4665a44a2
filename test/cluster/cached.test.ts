import { describe, expect, it } from "vitest";
import { ref, ResultExpiredError } from "qluster";
import { storeOf } from "../support/workshop-store.js";
import { until, workshop } from "../support/workshop.js";

describe("a cached result in a cluster", () => {
  it("is in the cache and not in the record, runs its hook, and expires to 100 ms (P167, P171)", async () => {
    await using shop = await workshop();
    await shop.cluster();
    const task = ref("jobs.traced", { cached: "1s", hook: "jobs.hook" });

    const id = await shop.q.asyncTask(task, "secret-word");

    expect(await shop.q.result(id, { wait: "20s", cached: true })).toBe("secret-word");
    const stoppedAt = (await shop.q.status(id))?.stoppedAt?.getTime() ?? 0;
    const [stored] = await (await storeOf(shop)).get([id]);
    expect(stored?.state).toBe("succeeded");
    expect(stored?.result).not.toContain("secret-word");
    let lastReadAt = 0;
    await until(async () => {
      const read = await shop.q.result(id).catch((error: unknown) => error);
      if (read instanceof ResultExpiredError) return true;
      lastReadAt = Date.now();
      return false;
    }, "the result to expire");
    expect(Date.now() - stoppedAt).toBeGreaterThanOrEqual(1_000);
    expect(lastReadAt - stoppedAt).toBeLessThan(1_100);
    await until(() => shop.trace().some((line) => line.startsWith(`hook ${id} true`)), "the hook");
  });

  it("counts attempts as for any task (P172)", async () => {
    await using shop = await workshop({ attempts: 2 });
    await shop.cluster();

    const id = await shop.q.asyncTask(ref("jobs.fails", { cached: "10s" }), "x");

    await expect(shop.q.result(id, { wait: "20s" })).rejects.toThrow("boom x");
    expect(await shop.q.attempts(id)).toHaveLength(2);
  });
});
