import { expect, it } from "vitest";
import { until, workshop, type ClusterProcess } from "../support/workshop.js";

const schedules = 170;
const seconds = 60;
const slots = schedules * seconds;

/** A seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`loses none of ${slots} slots and makes none twice, while clusters are killed at random moments (P217)`, async () => {
  await using shop = await workshop({ attempts: 0, workers: 1, lease: "1s", logLevel: "error" });
  const start = Math.ceil(Date.now() / 1_000) * 1_000 + 6_000;
  const end = start + (seconds - 1) * 1_000;
  const names = Array.from({ length: schedules }, (_, index) => `s${index}`);
  await Promise.all(
    names.map((name) =>
      shop.q.schedule("jobs.noop", {
        every: "1s",
        nextRun: new Date(start),
        until: new Date(end),
        catchUp: "all",
        name,
      }),
    ),
  );
  const next = random(3);
  const clusters: ClusterProcess[] = [await shop.cluster({ noWait: true }), await shop.cluster({ noWait: true })];

  let kills = 0;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 300 + next() * 2_500));
    const victim = Math.floor(next() * clusters.length);
    clusters[victim]!.kill("SIGKILL");
    await clusters[victim]!.exited;
    kills += 1;
    clusters[victim] = await shop.cluster({ noWait: true });
  }

  const expected = Array.from({ length: seconds }, (_, index) => start + index * 1_000);
  const waiting = new Set(names);
  await until(
    async () => {
      for (const name of waiting) {
        const runs = await shop.q.schedules.runs(name, { limit: 200 });
        if (runs.length < seconds || runs.some(({ state }) => state !== "succeeded")) return false;
        waiting.delete(name);
      }
      return true;
    },
    () => `the runs of ${waiting.size} schedules`,
    120_000,
  );

  const ids = new Set<string>();
  for (const name of names) {
    const runs = await shop.q.schedules.runs(name, { limit: 200 });
    expect(runs.map(({ slot }) => slot.getTime()).sort((a, b) => a - b)).toEqual(expected);
    for (const { taskId } of runs) ids.add(taskId!);
    expect(await shop.q.countGroup(name)).toBe(seconds);
  }
  expect(ids.size).toBe(slots);
  expect(kills).toBeGreaterThan(20);
});
