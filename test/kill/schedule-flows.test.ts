import { expect, it } from "vitest";
import { batchOf, chainOf, iterOf, link, previous } from "qluster";
import { until, workshop, type ClusterProcess } from "../support/workshop.js";

const each = 4;
const seconds = 40;

/** A seeded generator, so that a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const kinds = {
  chain: () => chainOf([link("jobs.add", 1, 2), link("jobs.add", previous(), 10)]),
  iter: () =>
    iterOf("jobs.add", [
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
  batch: () => batchOf([link("jobs.add", 1, 2), link("jobs.noop")]),
} as const;
const kindNames = ["chain", "iter", "batch"] as const;

it("opens one chain, iterable or batch for each slot, while clusters are killed at random moments (P200, P217)", async () => {
  await using shop = await workshop({ attempts: 0, workers: 1, lease: "1s", logLevel: "error" });
  const start = Math.ceil(Date.now() / 1_000) * 1_000 + 6_000;
  const end = start + (seconds - 1) * 1_000;
  const names = kindNames.flatMap((kind) => Array.from({ length: each }, (_, index) => `${kind} ${index}`));
  for (const name of names) {
    const kind = name.split(" ")[0] as keyof typeof kinds;
    const rule = { every: "1s", nextRun: new Date(start), until: new Date(end), catchUp: "all", name } as const;
    await shop.q.schedule(kinds[kind](), rule);
  }
  const next = random(5);
  const clusters: ClusterProcess[] = [await shop.cluster({ noWait: true }), await shop.cluster({ noWait: true })];

  let kills = 0;
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 300 + next() * 2_000));
    const victim = Math.floor(next() * clusters.length);
    clusters[victim]!.kill("SIGKILL");
    await clusters[victim]!.exited;
    kills += 1;
    clusters[victim] = await shop.cluster({ noWait: true });
  }

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
    () => `the runs of ${[...waiting].join(", ")}`,
    180_000,
  );

  const expected = Array.from({ length: seconds }, (_, index) => start + index * 1_000);
  const flows = new Set<string>();
  for (const name of names) {
    const runs = await shop.q.schedules.runs(name, { limit: 200 });
    expect(runs.map(({ slot }) => slot.getTime()).sort((a, b) => a - b)).toEqual(expected);
    for (const { taskId } of runs) flows.add(taskId!);
    const [run] = runs;
    const kind = name.split(" ")[0];
    if (kind === "chain") expect(await shop.q.resultGroup(run!.taskId!)).toEqual([3, 13]);
    if (kind === "iter") expect(await shop.q.result(run!.taskId!)).toEqual([3, 7, 11]);
    // Members of a chain and a batch have records of their own: none is there twice.
    expect(await shop.q.countGroup(name)).toBe(kind === "iter" ? seconds : 2 * seconds);
  }
  expect(flows.size).toBe(names.length * seconds);
  expect(kills).toBeGreaterThan(15);
});
