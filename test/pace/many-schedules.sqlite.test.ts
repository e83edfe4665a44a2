import { expect, it } from "vitest";
import type { Backend } from "../../src/contracts/backend.js";
import { changeOf, insert, newSchedule } from "../../src/testing/schedules/schedules.js";
import { connectTo, openOn, temporaryFile } from "../support/sqlite-file.js";

const due = 10;

/** A store with so many schedules, ten of which are due. */
async function withSchedules(count: number): Promise<Backend> {
  const file = temporaryFile();
  const backend = await openOn(file);
  const model = await insert(backend, newSchedule("model", { nextRun: 1, dueAt: 1 }));
  const database = connectTo(file);
  const columns = "name, cluster, func, rule, target, declared_by, fingerprint, repeats, paused, last_task, fault";
  const far = Date.now() + 1e9;
  database.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
    INSERT INTO qluster_schedule (project, id, revision, run_count, created_at, next_run, due_at, ${columns})
    SELECT project, printf('%032x', n.i), 1, 0, created_at, iif(n.i < ${due}, 1, ${far} + n.i), iif(n.i < ${due}, 1, ${far} + n.i), ${columns}
    FROM qluster_schedule, n WHERE id = '${model.id}'`);
  return backend;
}

/** One look of a scheduler: what is due, and a write to each of it. In milliseconds. */
async function look({ store }: Backend): Promise<number> {
  const started = performance.now();
  const { schedules } = await store.schedules.due({ clusters: [null], limit: 250 });
  const answers = await store.schedules.change(schedules.map((schedule) => changeOf(schedule)));
  const took = performance.now() - started;
  expect(answers).toEqual(Array.from({ length: due }, () => "done"));
  return took;
}

it("costs no more with 100,000 schedules of which 10 are due than with 1,000 (P204, P215)", async () => {
  const [few, many] = [await withSchedules(1_000), await withSchedules(100_000)];
  const took: [few: number, many: number][] = [];

  for (let round = 0; round < 400; round += 1) took.push([await look(few), await look(many)]);

  // In turns, and the quicker half of each: what else the machine does is no cost of ours.
  const typical = (of: 0 | 1): number => took.map((pair) => pair[of]).sort((a, b) => a - b)[100] ?? 0;
  const ratio = typical(1) / typical(0);
  console.log(`ten due of 1,000: ${typical(0).toFixed(2)} ms; of 100,000: ${typical(1).toFixed(2)} ms`);
  expect(ratio).toBeLessThan(1.3);
});
