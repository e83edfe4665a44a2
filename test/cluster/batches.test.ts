import { describe, expect, it } from "vitest";
import { link, ref } from "qluster";
import { until, workshop } from "../support/workshop.js";
import type { Workshop } from "../support/workshop.js";

const extra = `
const say = (word) => (finished) => trace([word, finished.func, finished.success, JSON.stringify(finished.result ?? finished.error.message)].join(" "));
export const each = say("each");
export const complete = say("complete");
export const good = say("good");
export const bad = say("bad");
`;
const calls = {
  onEach: "jobs.each",
  onComplete: "jobs.complete",
  onSuccess: "jobs.good",
  onFailure: "jobs.bad",
} as const;

async function lines(shop: Workshop, count: number): Promise<string[]> {
  const called = (): string[] => shop.trace().filter((line) => /^(each|complete|good|bad) /.test(line));
  await until(
    () => called().length >= count,
    () => `${count} calls; there were:\n${called().join("\n")}`,
  );
  return called().toSorted();
}

describe("a batch in a cluster", () => {
  it("calls its tasks: with each member, at the end, and when all have succeeded (P131)", async () => {
    await using shop = await workshop({}, extra);
    await shop.cluster();
    const batch = await shop.q.batch("nightly", { size: 2, ...calls });

    await shop.q.asyncTasks([
      link(ref("jobs.add", { batch }), 1, 2),
      link(ref("jobs.add", { batch, save: false }), 3, 4),
    ]);

    expect(await lines(shop, 4)).toEqual([
      'complete batch true {"size":2}',
      "each jobs.add true 3",
      "each jobs.add true 7",
      'good batch true {"size":2}',
    ]);
  });

  it("calls another one when not all have succeeded, after their retries (P131)", async () => {
    await using shop = await workshop({ attempts: 2 }, extra);
    await shop.cluster();
    const batch = await shop.q.batch("nightly", { size: 2, ...calls });

    await shop.q.asyncTasks([link(ref("jobs.add", { batch }), 1, 2), link(ref("jobs.fails", { batch }), "x")]);

    const message = '"1 of 2 tasks of the batch failed; the first said: Error: boom x"';
    expect(await lines(shop, 4)).toEqual([
      `bad batch false ${message}`,
      `complete batch false ${message}`,
      "each jobs.add true 3",
      'each jobs.fails false "boom x"',
    ]);
  });

  it("ends once when two clusters finish the last members together (P131)", async () => {
    await using shop = await workshop({ workers: 1 }, extra);
    await Promise.all([shop.cluster(), shop.cluster()]);
    const { onComplete, onSuccess } = calls;

    for (let n = 0; n < 10; n++) {
      const batch = await shop.q.batch(`b${n}`, { size: 20, onComplete, onSuccess });
      await shop.q.asyncTasks(Array.from({ length: 20 }, (_, i) => link(ref("jobs.add", { batch }), i, 1)));
    }

    expect(await lines(shop, 20)).toHaveLength(20);
  });
});
