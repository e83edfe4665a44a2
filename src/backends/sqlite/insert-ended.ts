import type { AttemptRecord, FinalState, Outcome, TaskKind } from "../../contracts/store.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import { errorText } from "../sql/error-text.js";
import type { SqlValue } from "./driver.js";
import type { Session } from "./project-file.js";
import type { HeldMessage } from "../sql/receipt.js";
import { RowStatement } from "./row-values.js";

export type FinalOutcome = Extract<Outcome, { to: FinalState }>;

/** A message that ends, and how. */
export interface EndedMessage extends HeldMessage {
  readonly attempt: AttemptRecord | null;
  readonly outcome: FinalOutcome;
}

const width = 12;

/** The owner of a message that nobody holds, free or delayed. */
export const nobody = 0;

/**
 * The envelope moves inside the database. The first ending stays, should a broker have carried a finished task twice.
 * CROSS JOIN, so that SQLite goes from the few rows to the table and not the other way round.
 */
const insertRows = new RowStatement(width, insertSql);
const insertedRows = new RowStatement(width, (rows) => `${insertSql(rows)} RETURNING queue, kind`);

function insertSql(rows: string): string {
  return `
  WITH ended (seq, id, state, started, counted, ending, started_at, stopped_at, worker, attempt_error, error, result)
    AS (VALUES ${rows})
  INSERT INTO qluster_task (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func,
    name, grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, envelope, member)
  SELECT m.project, m.id, e.state, ?, m.queue, -m.rank, m.attempts + e.counted, m.starts + e.started, m.queued_at,
    m.due_at, m.func, m.name, m.grp, m.kind, m.parent, e.ending, e.counted, coalesce(e.started_at, m.started_at),
    coalesce(e.stopped_at, m.stopped_at, ?), coalesce(e.worker, m.worker), e.attempt_error, e.error, e.result, m.envelope, m.member
  FROM ended e CROSS JOIN qluster_message m ON m.seq = e.seq
  WHERE m.id = e.id AND coalesce(m.owner, ${nobody}) = ? ON CONFLICT DO NOTHING`;
}

/** The same for one message in a foreign transaction. Returns what the rollup needs to know, or nothing. */
export function* insertEndedSteps(now: number, owner: number, message: EndedMessage): SqlSteps<EndedRow | undefined> {
  const [statement] = insertedRows.statements([message], pushEnded, [now, now, owner]);
  const [row] = yield statement!;
  return row as EndedRow | undefined;
}

export interface EndedRow {
  readonly queue: string;
  readonly kind: TaskKind;
}

/** Copies messages that `owner` holds to the finished tasks. Resolves to how many: not ours, or finished before, is left out. */
export function insertEnded(session: Session, owner: number, messages: readonly EndedMessage[]): number {
  return insertRows.run(messages, pushEnded, [session.now, session.now, owner], (sql, values) =>
    session.run(sql, values),
  );
}

function pushEnded(values: SqlValue[], { seq, id, attempt, outcome }: EndedMessage): void {
  values.push(seq, id, outcome.to);
  if (attempt === null) values.push(0, 0, null, null, null, null, null);
  else {
    const { counted, ending, startedAt, stoppedAt, worker, error } = attempt;
    values.push(1, counted ? 1 : 0, ending, Math.floor(startedAt), Math.floor(stoppedAt), worker, errorText(error));
  }
  if (outcome.to === "succeeded") values.push(null, outcome.result);
  else values.push(errorText(outcome.error), null);
}
