import type { FinalState, TaskKind } from "../../contracts/store.js";
import { detailTables } from "./held-messages.js";
import type { Session } from "./project-file.js";
import { keepOutcomes } from "./schedule-runs.js";

/** Removes finished tasks with their attempts and notes. Resolves to how many. */
export function removeTasks(session: Session, seqs: readonly number[]): number {
  if (seqs.length === 0) return 0;
  const rows = session.all<{ id: string; state: FinalState; kind: TaskKind; parent: string | null }>(
    "DELETE FROM qluster_task WHERE project = ? AND seq IN (SELECT value FROM json_each(?)) RETURNING id, state, kind, parent",
    [session.project, JSON.stringify(seqs)],
  );
  const ids = JSON.stringify(rows.map(({ id }) => id));
  for (const table of detailTables) {
    session.run(`DELETE FROM ${table} WHERE project = ? AND id IN (SELECT value FROM json_each(?))`, [
      session.project,
      ids,
    ]);
  }
  keepOutcomes(session, rows);
  const flows = rows.filter(({ kind }) => kind !== "task" && kind !== "hook");
  if (flows.length > 0) removeFlows(session, JSON.stringify(flows.map(({ id }) => id)));
  return rows.length;
}

/** A flow goes with its record. @param ids - As JSON. */
function removeFlows(session: Session, ids: string): void {
  const which = "FROM qluster_flow WHERE project = ? AND id IN (SELECT value FROM json_each(?))";
  session.run(`DELETE FROM qluster_flow_member WHERE flow IN (SELECT seq ${which})`, [session.project, ids]);
  session.run(`DELETE ${which}`, [session.project, ids]);
}
