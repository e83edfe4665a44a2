import type { MemberOutcome, StoredFlow } from "../../contracts/flows.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { flowHooks, parentOfFlow, type FlowEnd } from "../../core/flow-end.js";
import { errorText } from "../sql/error-text.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { readOutcomes } from "./flow-rows.js";
import { insertMessagesSteps } from "./insert-messages.js";
import type { Moment, Session } from "./project-file.js";
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
  const { now } = session;
  session.run("UPDATE qluster_flow SET state = ?, error = ?, ended_at = ? WHERE seq = ?", [
    state,
    errorText(error),
    now,
    flow.seq,
  ]);
  session.run(insertRecord, recordValues(session, flow, { state, error }));
  if (!flow.queued) return;
  const hooks = flowHooks(flow, { state, error, at: now, members: () => carried(session, flow) });
  if (hooks.length > 0) submitUnsent(session, hooks);
}

function recordValues(
  { project, now }: Pick<Moment, "project" | "now">,
  flow: StoredFlow,
  { state, error }: Pick<FlowEnd, "state" | "error">,
): (string | number | null)[] {
  const { id, kind, queue, func, name, group, envelope, openedAt } = flow;
  const names = [project, id, state, now, queue, openedAt, openedAt, func, name, group, kind, parentOfFlow(flow)];
  return [...names, openedAt, now, errorText(error), envelope];
}

/** The statements of {@link endFlow} for a flow without members that was opened on a foreign transaction. */
export function* endEmptySteps(at: Moment, flow: StoredFlow): SqlSteps<void> {
  const { project, now } = at;
  const end = { state: "succeeded", error: null } as const;
  yield {
    sql: "UPDATE qluster_flow SET state = 'succeeded', ended_at = ? WHERE project = ? AND id = ? RETURNING seq",
    parameters: [now, project, flow.id],
  };
  yield { sql: `${insertRecord} RETURNING seq`, parameters: recordValues(at, flow, end) };
  yield* insertMessagesSteps(at, flowHooks(flow, { ...end, at: now, members: () => [] }));
}

function carried(session: Session, { seq, kind, carryBytes }: NumberedFlow): readonly MemberOutcome[] | null {
  if (kind === "batch") return [];
  const { outcomes, isAll } = readOutcomes(session, seq, 0, carryBytes);
  return isAll ? outcomes : null;
}
