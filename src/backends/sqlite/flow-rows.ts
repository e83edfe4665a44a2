import type { MemberOutcome, NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import type { SqlSteps } from "../../contracts/transaction.js";
import type { FlowMove } from "../../core/flow.js";
import { errorText } from "../sql/error-text.js";
import { flowFrom, outcomeFrom, type FlowRow, type NumberedFlow, type OutcomeRow } from "../sql/flow-row.js";
import type { SqlValue } from "./driver.js";
import type { Moment, Session } from "./project-file.js";
import { RowStatement } from "./row-values.js";

/** Outcomes that one statement reads. */
const page = 500;

const insertFlow = `
  INSERT INTO qluster_flow (project, id, kind, state, queue, func, name, grp, envelope, steps, stops, queued, carry_bytes,
    step, done, failed, run, joined, opened_at, expires_at)
  VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?) ON CONFLICT DO NOTHING`;

/** @returns `false`: the id is known. */
export function addFlow(session: Session, flow: NewFlow): boolean {
  return session.run(insertFlow, flowValues(session, flow)) === 1;
}

/** The statements of {@link addFlow} and {@link addMembers} for a foreign transaction. */
export function* addFlowSteps(at: Moment, flow: NewFlow, members: readonly NewTask[]): SqlSteps<void> {
  const [row] = yield { sql: `${insertFlow} RETURNING seq`, parameters: flowValues(at, flow) };
  const seq = Number(row?.["seq"]);
  yield* insertedMembers.statements(members, (values, task) => pushMember(values, seq, task, "task"), []);
}

function flowValues({ project, now }: Pick<Moment, "project" | "now">, flow: NewFlow): (string | number | null)[] {
  const { id, kind, queue, func, name, group, envelope, steps, stops, queued, carryBytes, expiresMs } = flow;
  const expiresAt = expiresMs === null ? null : Math.ceil(now + expiresMs);
  const texts = [project, id, kind, queue, func, name, group, envelope, JSON.stringify(steps)];
  const numbers = [stops ? 1 : 0, queued ? 1 : 0, carryBytes, now, expiresAt];
  return [...texts, ...numbers];
}

export function flowById(session: Session, id: string): NumberedFlow | undefined {
  return flowRows(session, [id]).map(flowFrom)[0];
}

export function flowRows(session: Session, ids: readonly string[]): FlowRow[] {
  return session.all<FlowRow>(
    "SELECT * FROM qluster_flow WHERE project = ? AND id IN (SELECT value FROM json_each(?))",
    [session.project, JSON.stringify(ids)],
  );
}

export function saveMove(session: Session, { seq }: NumberedFlow, move: Omit<FlowMove, "next">): void {
  session.run("UPDATE qluster_flow SET step = ?, done = ?, failed = ?, failed_at = ? WHERE seq = ?", [
    move.step,
    move.done,
    move.failed,
    move.failedAt,
    seq,
  ]);
}

const memberSql = (rows: string): string =>
  `INSERT INTO qluster_flow_member (flow, place, run, id, task) SELECT * FROM (VALUES ${rows}) WHERE true ON CONFLICT DO NOTHING`;
const insertMembers = new RowStatement(5, memberSql);
const insertedMembers = new RowStatement(5, (rows) => `${memberSql(rows)} RETURNING place`);

/** The places of a chain, with their sealed tasks; or those of a batch, with the ids that have them. */
export function addMembers(session: Session, flow: number, tasks: readonly NewTask[], keep: "task" | "id"): void {
  insertMembers.run(
    tasks,
    (values, task) => pushMember(values, flow, task, keep),
    [],
    (sql, values) => session.run(sql, values),
  );
}

function pushMember(values: SqlValue[], flow: number, task: NewTask, keep: "task" | "id"): void {
  const { place, run } = task.member ?? { place: null, run: 0 };
  values.push(flow, place ?? 0, run, keep === "id" ? task.id : null, keep === "task" ? JSON.stringify(task) : null);
}

/** The sealed tasks of a chain, of these places or all. */
export function membersOfChain(
  session: Session,
  flow: number,
  from: number = 0,
  to: number = Number.MAX_SAFE_INTEGER,
): NewTask[] {
  return session
    .all<{ task: string | null }>(
      "SELECT task FROM qluster_flow_member WHERE flow = ? AND place >= ? AND place < ? ORDER BY place",
      [flow, from, to],
    )
    .flatMap(({ task }) => (task === null ? [] : [JSON.parse(task) as NewTask]));
}

const insertOutcomes = new RowStatement(
  6,
  (rows) => `
  INSERT INTO qluster_flow_member (flow, place, run, state, result, error) SELECT * FROM (VALUES ${rows}) WHERE true
  ON CONFLICT (flow, place) DO UPDATE SET state = excluded.state, result = excluded.result, error = excluded.error`,
);

/** Keeps outcomes at places that have none. */
export function addOutcomes(session: Session, flow: number, outcomes: readonly MemberOutcome[]): void {
  insertOutcomes.run(
    outcomes,
    (values, { place, run, state, result, error }) =>
      void values.push(flow, place, run, state, result, errorText(error)),
    [],
    (sql, values) => session.run(sql, values),
  );
}

interface PlaceRow {
  readonly place: number;
  readonly run: number;
  readonly ended: number;
}

/** What is known of some places. */
export function knownPlaces(session: Session, flow: number, places: readonly number[]): Map<number, PlaceRow> {
  const rows = session.all<PlaceRow>(
    `SELECT place, run, state IS NOT NULL AS ended FROM qluster_flow_member
     WHERE flow = ? AND place IN (SELECT value FROM json_each(?))`,
    [flow, JSON.stringify(places)],
  );
  return new Map(rows.map((row) => [row.place, row]));
}

const selectOutcomes = `
  SELECT place, run, state, result, error FROM qluster_flow_member
  WHERE flow = ? AND place >= ? AND state IS NOT NULL ORDER BY place LIMIT ${page}`;

/** Outcomes by place, as many as fit; `isAll`: there are no more. */
export function readOutcomes(
  session: Session,
  flow: number,
  from: number,
  maxBytes: number,
): { readonly outcomes: MemberOutcome[]; readonly isAll: boolean } {
  const outcomes: MemberOutcome[] = [];
  let bytes = 0;
  let at = from;
  for (;;) {
    const rows = session.all<OutcomeRow>(selectOutcomes, [flow, at]);
    for (const row of rows) {
      bytes += Buffer.byteLength(row.result ?? row.error ?? "");
      if (bytes > maxBytes && outcomes.length > 0) return { outcomes, isAll: false };
      outcomes.push(outcomeFrom(row));
      at = row.place + 1;
    }
    if (rows.length < page) return { outcomes, isAll: bytes <= maxBytes };
  }
}

/** Those of a range of places. */
export function outcomesBetween(session: Session, flow: number, from: number, to: number): MemberOutcome[] {
  return session
    .all<OutcomeRow>(
      `SELECT place, run, state, result, error FROM qluster_flow_member
       WHERE flow = ? AND place >= ? AND place < ? AND state IS NOT NULL ORDER BY place`,
      [flow, from, to],
    )
    .map(outcomeFrom);
}
