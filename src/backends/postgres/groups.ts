import type { GroupQuery, StoredTask } from "../../contracts/store.js";
import { finishedTask, type TaskRow } from "../sql/task-row.js";
import type { Queries } from "./connections.js";
import { taskColumns } from "./read.js";
import { removeByQuery } from "./remove-tasks.js";
import { statement, type Statement } from "./statement.js";

const which = {
  all: "",
  succeeded: " AND state = 'succeeded'",
  failed: " AND state <> 'succeeded'",
} as const satisfies Record<GroupQuery["which"], string>;

const members = "FROM {task} WHERE project = $1 AND grp = $2 AND kind IN ('task', 'iter')";

function each(make: (condition: string, of: string) => Statement): Readonly<Record<GroupQuery["which"], Statement>> {
  return {
    all: make(which.all, "all"),
    succeeded: make(which.succeeded, "succeeded"),
    failed: make(which.failed, "failed"),
  };
}

const membersSql = each((condition, of) =>
  statement(`members-${of}`, `SELECT ${taskColumns} ${members}${condition} ORDER BY seq DESC LIMIT $3::bigint`),
);
const countSql = each((condition, of) =>
  statement(`count-members-${of}`, `SELECT count(*) AS n FROM (SELECT 1 ${members}${condition} LIMIT $3::bigint) AS m`),
);
const unlabelSql = statement(
  "unlabel",
  "UPDATE {task} SET grp = NULL WHERE project = $1 AND grp = $2 AND kind IN ('task', 'iter')",
);
const removeSql = removeByQuery("remove-members", `SELECT seq ${members}`);

/** Finished members, newest finished first. */
export async function membersOf(database: Queries, group: string, query: GroupQuery): Promise<StoredTask[]> {
  return (await database.all<TaskRow>(membersSql[query.which], [group, query.limit ?? null])).map(finishedTask);
}

/** @param atMost - Looks at no more rows than that. */
export async function countMembers(
  database: Queries,
  group: string,
  query: GroupQuery["which"],
  atMost?: number,
): Promise<number> {
  return (await database.first<{ n: number }>(countSql[query], [group, atMost ?? null]))?.n ?? 0;
}

/** Takes the label off the finished members, or deletes them with their attempts and notes. */
export async function dissolve(database: Queries, group: string, withTasks: boolean): Promise<number> {
  if (!withTasks) return await database.run(unlabelSql, [group]);
  return (await database.first<{ n: number }>(removeSql, [group]))?.n ?? 0;
}
