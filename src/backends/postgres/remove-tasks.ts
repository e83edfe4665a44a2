import { numberArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { forgetDetails } from "./held-messages.js";
import { keepOutcomes } from "./schedule-runs.js";
import { statement, type Statement } from "./statement.js";

/** A statement that removes finished tasks with their attempts and notes. @param seqs - A query for their numbers. */
export function removeByQuery(name: string, seqs: string): Statement {
  return statement(
    name,
    `WITH gone AS (DELETE FROM {task} WHERE project = $1 AND seq = ANY (ARRAY(${seqs})) RETURNING id, state, kind, parent),
       ${keepOutcomes}, ${forgetDetails}
     SELECT count(*) AS n FROM gone`,
  );
}

const removeSql = removeByQuery("remove-tasks", "SELECT unnest($2::bigint[])");

/** Removes finished tasks with their attempts and notes. Resolves to how many. */
export async function removeTasks(database: Queries, seqs: readonly number[]): Promise<number> {
  if (seqs.length === 0) return 0;
  return (await database.first<{ n: number }>(removeSql, [numberArray(seqs)]))?.n ?? 0;
}
