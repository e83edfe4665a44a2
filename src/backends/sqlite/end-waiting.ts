import type { AttemptRecord, NewTask } from "../../contracts/store.js";
import { tellFlows } from "./flow-advance.js";
import { forgetDetails } from "./held-messages.js";
import { insertEnded, nobody, type FinalOutcome } from "./insert-ended.js";
import type { Session } from "./project-file.js";
import { rollUp } from "./rollup.js";

export interface WaitingRow {
  readonly seq: number;
  readonly id: string;
  readonly owner: number | null;
  readonly queue: string;
  readonly kind: NewTask["kind"];
  readonly member: string | null;
}

export function messageById(session: Session, id: string): WaitingRow | undefined {
  return session.first<WaitingRow>(
    "SELECT seq, id, owner, queue, kind, member FROM qluster_message WHERE project = ? AND id = ?",
    [session.project, id],
  );
}

/** Ends a message that nobody holds, with everything that follows from it but its hook. */
export function endWaiting(
  session: Session,
  { seq, id, queue, kind, member }: WaitingRow,
  attempt: AttemptRecord | null,
  outcome: FinalOutcome,
): void {
  if (outcome.to !== "succeeded" || outcome.keep) insertEnded(session, nobody, [{ seq, id, attempt, outcome }]);
  else forgetDetails(session, id);
  session.run("DELETE FROM qluster_message WHERE seq = ?", [seq]);
  const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
  rollUp(session, [{ queue, kind, state: outcome.to, ranMs }]);
  if (member !== null) tellFlows(session, [{ member, outcome }]);
}
