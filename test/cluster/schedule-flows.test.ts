import { expect, it } from "vitest";
import { batchOf, chainOf, iterOf, link, parallel, previous, ref } from "qluster";
import type { ScheduleRun } from "qluster";
import { until, workshop, type Workshop } from "../support/workshop.js";

const tasks = `
export async function slotOf(label, ...rest) {
  const { id, group, scheduledFor } = currentTask();
  trace(["slot", label, group, id, scheduledFor.toISOString(), JSON.stringify(rest)].join(" "));
  return label;
}
export async function slow(label, ms) {
  trace(["slow", label, Date.now()].join(" "));
  await sleep(ms);
  trace(["ended", label, Date.now()].join(" "));
  return label;
}
export async function sum(numbers) { return numbers.reduce((a, b) => a + b, 0); }
export async function done(finished) { trace(["done", finished.func, finished.id, finished.success, JSON.stringify(finished.result ?? finished.error.message)].join(" ")); }
`;

const soon = (ms: number): Date => new Date(Date.now() + ms);

async function finished(shop: Workshop, name: string, count = 1): Promise<ScheduleRun[]> {
  const ended = async (): Promise<ScheduleRun[]> =>
    (await shop.q.schedules.runs(name, { limit: 1_000 })).filter(
      ({ state }) => state === "succeeded" || state === "failed",
    );
  await until(async () => (await ended()).length >= count, `${count} finished runs of ${name}`);
  return await ended();
}

async function said(shop: Workshop, text: RegExp): Promise<string> {
  await until(() => shop.trace().some((line) => text.test(line)), `a line like ${String(text)}`);
  return shop.trace().find((line) => text.test(line)) ?? "";
}

it("runs a chain at its slot, from worker to worker, and tells onComplete (P192, P200)", async () => {
  await using shop = await workshop({}, tasks);
  const cluster = await shop.cluster();
  const nextRun = soon(1_500);

  await shop.q.schedule(
    chainOf(
      [
        link("jobs.add", 1, 2),
        parallel([link("jobs.add", previous(), 10), link(ref("jobs.add", { save: false }), 20, previous())]),
        link("jobs.sum", previous()),
        link("jobs.slotOf", previous()),
      ],
      { onComplete: "jobs.done" },
    ),
    { nextRun, repeats: 1, name: "numbers" },
  );

  const [run] = await finished(shop, "numbers");
  expect([run!.slot, run!.state]).toEqual([nextRun, "succeeded"]);
  expect(await shop.q.resultGroup(run!.taskId!)).toEqual([3, [13, 23], 36, 36]);
  expect(await said(shop, /^done /)).toBe(`done chain ${run!.taskId} true [3,[13,23],36,36]`);
  expect(await said(shop, /^slot /)).toContain(` ${nextRun.toISOString()} `);
  await cluster.says(/^Scheduler created task .+ from schedule \[numbers\]$/);
});

it("runs an iterable and a batch at every slot, each with the slot (P192, P200)", async () => {
  await using shop = await workshop({}, tasks);
  await shop.cluster();
  const nextRun = soon(1_500);
  const twice = { every: "1s", nextRun, repeats: 2, catchUp: "all", intendedDateKwarg: "date" } as const;

  await shop.q.schedule(iterOf("jobs.slotOf", ["a", "b", "c"], { hook: "jobs.done" }), { ...twice, name: "letters" });
  await shop.q.schedule(batchOf([link("jobs.slotOf", "x"), link("jobs.fails", "y")], { onFailure: "jobs.done" }), {
    ...twice,
    name: "batch",
    attempts: 1,
  });

  const letters = await finished(shop, "letters", 2);
  const batches = await finished(shop, "batch", 2);
  expect(letters.map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
  expect(batches.map(({ state }) => state)).toEqual(["failed", "failed"]);
  expect(await shop.q.result(letters[0]!.taskId!)).toEqual(["a", "b", "c"]);
  expect(await shop.q.resultGroup("batch")).toEqual(["x", "x"]);
  await until(() => shop.trace().filter((line) => line.startsWith("done")).length === 4, "four hooks");
  const slots = [nextRun.toISOString(), new Date(nextRun.getTime() + 1_000).toISOString()];
  const seen = shop.trace().filter((line) => line.startsWith("slot"));
  expect(seen.map((line) => line.split(" ")[1] + line.split(" ")[4]! + line.split(" ")[5]!).sort()).toEqual(
    ["a", "b", "c", "x"].flatMap((label) => slots.map((slot) => `${label}${slot}[{"date":"${slot}"}]`)),
  );
});

it("counts a chain as running until its last link has ended (P199, P200)", async () => {
  await using shop = await workshop({}, tasks);
  await shop.cluster();

  await shop.q.schedule(chainOf([link("jobs.slow", "first", 900), link("jobs.slow", "last", 900)]), {
    every: "1s",
    overlap: "skip",
    name: "skips",
  });
  await finished(shop, "skips", 2);
  await shop.q.schedules.pause("skips");
  await shop.q.schedule(chainOf([link("jobs.slow", "one", 900), link("jobs.slow", "two", 900)]), {
    every: "1s",
    overlap: "queue",
    name: "queues",
  });
  await finished(shop, "queues", 2);

  expect((await shop.q.schedules.runs("skips")).some(({ state }) => state === "overlap")).toBe(true);
  for (const [start, end] of [
    ["slow first", "ended last"],
    ["slow one", "ended two"],
  ] as const) {
    const times = (what: string): number[] =>
      shop
        .trace()
        .filter((line) => line.startsWith(what))
        .map((line) => Number(line.split(" ")[2]));
    expect(times(start)[1]! - times(end)[0]!).toBeGreaterThanOrEqual(0);
  }
});

it("says of one that cannot be opened that it has failed, and tells its hook (P200)", async () => {
  await using shop = await workshop({}, tasks);
  await shop.q.schedule(chainOf([link("jobs.noop")], { onComplete: "jobs.done" }), {
    type: "DAILY",
    name: "late",
    expires: "1s",
  });
  const id = await shop.q.schedules.runNow("late");
  await new Promise((resolve) => setTimeout(resolve, 1_200));

  await shop.cluster();

  await until(
    async () => (await shop.q.schedules.runs("late")).some(({ state, taskId }) => taskId === id && state === "expired"),
    "the run to expire",
  );
  expect(await said(shop, new RegExp(`^done chain ${id}`))).toContain("false");
});
