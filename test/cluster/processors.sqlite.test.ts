import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { until, workshop } from "../support/workshop.js";

/** What each of its threads may use: were only the first one held, the others would run everywhere. */
function processorsOf(pid: number): string[] {
  const lists = readdirSync(`/proc/${pid}/task`).map(
    (thread) => /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"))![1]!,
  );
  return [...new Set(lists)];
}

it("holds each worker to its processors, also the one that takes the place of a dead one (P052)", async () => {
  expect(availableParallelism(), "processors of the machine that runs this").toBeGreaterThan(1);
  await using shop = await workshop({ workers: 2, cpuAffinity: 1 });
  const cluster = await shop.cluster();
  const lists = (): string[] => cluster.workers().flatMap(processorsOf).sort();
  const before = lists();
  expect(new Set(before).size).toBe(2);
  expect(before.every((list) => /^\d+$/.test(list))).toBe(true);

  process.kill(cluster.workers()[0]!, "SIGKILL");

  await cluster.says(/reincarnated worker/);
  await until(() => cluster.workers().length === 2, "another worker");
  expect(await shop.q.result(await shop.q.asyncTask("jobs.add", 1, 2), { wait: "60s" })).toBe(3);
  expect(lists()).toEqual(before);
});

it("says that threads cannot be held to processors (P052)", async () => {
  await using shop = await workshop({ isolation: "thread", cpuAffinity: 1 });
  const cluster = await shop.cluster();

  await cluster.says(/cpuAffinity: 1 has no effect with isolation: "thread", only with "process"/);
});
