import type { MemberOutcome } from "../../contracts/flows.js";
import { flowHooks, parentOfFlow, type FlowEnd } from "../../core/flow-end.js";
import { errorText } from "../sql/error-text.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { readOutcomes } from "./flow-rows.js";
import type { Session } from "./project-file.js";
import { submitUnsent } from "./submit-unsent.js";

const insertRecord = `
  INSERT INTO qluster_task (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func, name,
    grp, kind, parent, counted, started_at, stopped_at, error, envelope)
  VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

/** Ends an open flow: its state, its record, and the tasks that are called then. */
export function endFlow(
  session: Session,
  flow: NumberedFlow,
  { state, error }: Pick<FlowEnd, "state" | "error">,
): void {
  const { project, now } = session;
  const { seq, id, kind, queue, func, name, group, envelope, openedAt } = flow;
  session.run("UPDATE qluster_flow SET state = ?, error = ?, ended_at = ? WHERE seq = ?", [
    state,
    errorText(error),
    now,
    seq,
  ]);
  const names = [project, id, state, now, queue, openedAt, openedAt, func, name, group, kind, parentOfFlow(flow)];
  session.run(insertRecord, [...names, openedAt, now, errorText(error), envelope]);
  if (!flow.queued) return;
  const hooks = flowHooks(flow, { state, error, at: now, members: () => carried(session, flow) });
  if (hooks.length > 0) submitUnsent(session, hooks);
}

function carried(session: Session, { seq, kind, carryBytes }: NumberedFlow): readonly MemberOutcome[] | null {
  if (kind === "batch") return [];
  const { outcomes, isAll } = readOutcomes(session, seq, 0, carryBytes);
  return isAll ? outcomes : null;
}
