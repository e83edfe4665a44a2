import { expect, it } from "vitest";
import { until, workshop } from "../support/workshop.js";

it("with four clusters on one store makes 1,000 tasks of 1,000 schedules that are due in the same second, none twice, all within 5 s (P216, P217)", async () => {
  await using shop = await workshop({ workers: 1, logLevel: "error" });
  const clusters = await Promise.all([1, 2, 3, 4].map(() => shop.cluster({ noWait: true })));
  await until(
    async () => (await shop.q.clusters()).filter(({ status }) => status === "Idle").length === 4,
    "four clusters",
  );
  const slot = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 20_000);
  const names = Array.from({ length: 1_000 }, (_, index) => `s${index}`);
  await Promise.all(
    names.map((name) => shop.q.schedule("jobs.noop", { type: "DAILY", nextRun: slot, name, group: "all" })),
  );
  expect(Date.now()).toBeLessThan(slot.getTime());

  await until(async () => (await shop.q.countGroup("all")) >= 1_000, "1,000 finished tasks");

  const runs = (await Promise.all(names.map(async (name) => await shop.q.schedules.runs(name)))).flat();
  const late = runs.map(({ at }) => at.getTime() - slot.getTime());
  console.log(
    `1,000 schedules of one second, four clusters: the last one fired ${Math.max(...late)} ms after its slot`,
  );
  expect(runs).toHaveLength(1_000);
  expect(new Set(runs.map(({ taskId }) => taskId)).size).toBe(1_000);
  expect(runs.every((run) => run.slot.getTime() === slot.getTime() && run.state === "succeeded")).toBe(true);
  expect(Math.max(...late)).toBeLessThan(5_000);
  expect(await shop.q.countGroup("all")).toBe(1_000);
  expect(clusters.flatMap(({ log }) => log.map(({ msg }) => msg))).toEqual([]);
});
