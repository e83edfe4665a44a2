import { numberArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { forgetDetails } from "./held-messages.js";
import { keepOutcomes } from "./schedule-runs.js";
import { statement, type Statement } from "./statement.js";

/** A statement that removes finished tasks with their attempts and notes. A flow goes with its record, its members later. @param seqs - A query for their numbers. */
export function removeByQuery(name: string, seqs: string): Statement {
  return statement(
    name,
    `WITH gone AS (DELETE FROM {task} WHERE project = $1 AND seq = ANY (ARRAY(${seqs})) RETURNING id, state, kind, parent),
       ${keepOutcomes}, ${forgetDetails}, flows AS (
         UPDATE {flow} f SET project = -f.project FROM gone
         WHERE gone.kind NOT IN ('task', 'hook') AND f.project = $1 AND f.id = gone.id)
     SELECT count(*) AS n FROM gone`,
  );
}

const removeSql = removeByQuery("remove-tasks", "SELECT unnest($2::bigint[])");

/** Removes finished tasks with their attempts and notes. Resolves to how many. */
export async function removeTasks(database: Queries, seqs: readonly number[]): Promise<number> {
  if (seqs.length === 0) return 0;
  return (await database.first<{ n: number }>(removeSql, [numberArray(seqs)]))?.n ?? 0;
}

/** Members in one statement. */
const sweepStep = 10_000;

const sweepSql = statement(
  "sweep-flows",
  `WITH one AS (SELECT seq FROM {flow} WHERE project = -$1::int LIMIT 1),
     gone AS (
       DELETE FROM {flow_member} m
       USING (SELECT o.flow, o.place FROM one CROSS JOIN LATERAL (
         SELECT flow, place FROM {flow_member} WHERE flow = one.seq LIMIT ${sweepStep}) AS o) AS d
       WHERE m.flow = d.flow AND m.place = d.place RETURNING 1),
     done AS (DELETE FROM {flow} f USING one WHERE f.seq = one.seq AND (SELECT count(*) FROM gone) < ${sweepStep})
   SELECT (SELECT count(*) FROM one) AS n`,
);

/** Removes what is left of flows whose records are gone, in small steps. */
export async function sweepFlows(database: Queries): Promise<void> {
  while ((await database.first<{ n: number }>(sweepSql))?.n === 1);
}
