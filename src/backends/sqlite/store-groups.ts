import type { GroupQuery, StoredTask } from "../../contracts/store.js";
import { finishedTask, type TaskRow } from "../sql/task-row.js";
import type { Session } from "./project-file.js";
import { removeTasks } from "./remove-tasks.js";
import { taskColumns } from "./store-read.js";

const which = {
  all: "",
  succeeded: " AND state = 'succeeded'",
  failed: " AND state <> 'succeeded'",
} as const satisfies Record<GroupQuery["which"], string>;

const members =
  "FROM qluster_task INDEXED BY qluster_task_group WHERE project = ? AND grp = ? AND kind IN ('task', 'iter')";

/** Finished members, newest finished first. */
export function membersOf(session: Session, group: string, query: GroupQuery): StoredTask[] {
  return session
    .all<TaskRow>(`SELECT ${taskColumns} ${members}${which[query.which]} ORDER BY seq DESC LIMIT ?`, [
      session.project,
      group,
      query.limit ?? -1,
    ])
    .map(finishedTask);
}

/** @param atMost - Looks at no more rows than that. */
export function countMembers(session: Session, group: string, query: GroupQuery["which"], atMost?: number): number {
  const row = session.first<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 ${members}${which[query]} LIMIT ?)`,
    // A negative limit is none.
    [session.project, group, atMost ?? -1],
  );
  return row?.n ?? 0;
}

/** Takes the label off the finished members, or deletes them with their attempts and notes. */
export function dissolve(session: Session, group: string, withTasks: boolean): number {
  const { project } = session;
  if (!withTasks) {
    return session.run(`UPDATE qluster_task SET grp = NULL WHERE seq IN (SELECT seq ${members})`, [project, group]);
  }
  const rows = session.all<{ seq: number }>(`SELECT seq ${members}`, [project, group]);
  return removeTasks(
    session,
    rows.map(({ seq }) => seq),
  );
}
