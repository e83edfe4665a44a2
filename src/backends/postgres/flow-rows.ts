import type { NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import type { FlowMove } from "../../core/flow.js";
import { flowFrom, type FlowRow, type NumberedFlow } from "../sql/flow-row.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

/** `opened`: libraries of the application may rename what has an underscore. */
const insertSql = statement(
  "open-flow",
  `INSERT INTO {flow} (project, id, kind, state, queue, func, name, grp, envelope, steps, stops, queued, carry_bytes, step, done,
     failed, run, joined, opened_at, expires_at)
   VALUES ($1, $2::text, $3::text, 'open', $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::boolean, $11::boolean,
     $12::bigint, 0, 0, 0, 0, 0, {now}, {now} + $13::bigint)
   ON CONFLICT DO NOTHING RETURNING *, opened_at AS opened`,
);

/** The new flow, locked, or `undefined`: the id is known. */
export async function addFlow(inside: Queries, flow: NewFlow): Promise<NumberedFlow | undefined> {
  const row = await inside.first<FlowRow>(insertSql, flowParameters(flow));
  return row === undefined ? undefined : flowFrom(row);
}

/** The statement of {@link addFlow} for a transaction of the application, with its parameters after the project. */
export function addingFlow(flow: NewFlow): readonly [Statement, readonly SqlValue[]] {
  return [insertSql, flowParameters(flow)];
}

function flowParameters(flow: NewFlow): SqlValue[] {
  const { id, kind, queue, func, name, group, envelope, steps, stops, queued, carryBytes, expiresMs } = flow;
  const lifeMs = expiresMs === null ? null : Math.ceil(expiresMs);
  const texts = [id, kind, queue, func, name, group, envelope, JSON.stringify(steps)];
  return [...texts, stops, queued, carryBytes, lifeMs];
}

const findSql = statement("find-flows", "SELECT * FROM {flow} WHERE project = $1 AND id = ANY ($2::text[])");

export async function findFlows(database: Queries, ids: readonly string[]): Promise<NumberedFlow[]> {
  if (ids.length === 0) return [];
  return (await database.all<FlowRow>(findSql, [textArray(ids)])).map(flowFrom);
}

/**
 * Whoever changes a flow has its lock, to the end of the transaction. The order in which all take their locks: messages,
 * then flows by id, then everything else.
 */
const lockSql = statement("lock-flows", `${findSql.text} ORDER BY id FOR NO KEY UPDATE`);

export async function lockFlows(inside: Queries, ids: readonly string[]): Promise<NumberedFlow[]> {
  return (await inside.all<FlowRow>(lockSql, [textArray([...new Set(ids)])])).map(flowFrom);
}

export async function lockFlow(inside: Queries, id: string): Promise<NumberedFlow | undefined> {
  return (await lockFlows(inside, [id]))[0];
}

/** The same, and lets nobody join it. */
const lockAloneSql = statement("lock-flow-alone", `${findSql.text} FOR UPDATE`);

export async function lockFlowAlone(inside: Queries, id: string): Promise<NumberedFlow | undefined> {
  return (await inside.all<FlowRow>(lockAloneSql, [textArray([id])])).map(flowFrom)[0];
}

const moveSql = statement(
  "move-flows",
  `UPDATE {flow} f SET step = t.step, done = t.done, failed = t.failed, failed_at = t.failed_at
   FROM ${rowsOf(2, "bigint", "int", "int", "int", "int")} AS t (seq, step, done, failed, failed_at)
   WHERE f.seq = t.seq AND f.project = $1`,
);

/** Saves where flows stand now. */
export async function saveMoves(
  inside: Queries,
  moves: readonly (Omit<FlowMove, "next"> & Pick<NumberedFlow, "seq">)[],
): Promise<void> {
  await inside.run(moveSql, [
    numberArray(moves.map(({ seq }) => seq)),
    numberArray(moves.map(({ step }) => step)),
    numberArray(moves.map(({ done }) => done)),
    numberArray(moves.map(({ failed }) => failed)),
    numberArray(moves.map(({ failedAt }) => failedAt)),
  ]);
}

const placesSql = statement(
  "take-places",
  `INSERT INTO {flow_member} (flow, place, run, id, task)
   SELECT t.flow, t.place, t.run, t.id, t.task
   FROM ${rowsOf(2, "bigint", "int", "int", "text", "text")} AS t (flow, place, run, id, task)
   WHERE $1::int IS NOT NULL ON CONFLICT DO NOTHING`,
);

/** Where a member stands, and what is kept there before it ends. */
interface TakenPlace {
  readonly flow: number;
  readonly place: number;
  readonly run: number;
  /** Of a batch. */
  readonly id: string | null;
  /** Of a chain. */
  readonly task: NewTask | null;
}

export async function addPlaces(inside: Queries, places: readonly TakenPlace[]): Promise<void> {
  if (places.length > 0) await inside.run(...addingPlaces(places));
}

/** The statement of {@link addPlaces} for a transaction of the application, with its parameters after the project. */
export function addingPlaces(places: readonly TakenPlace[]): readonly [Statement, readonly SqlValue[]] {
  const parameters = [
    numberArray(places.map(({ flow }) => flow)),
    numberArray(places.map(({ place }) => place)),
    numberArray(places.map(({ run }) => run)),
    textArray(places.map(({ id }) => id)),
    textArray(places.map(({ task }) => (task === null ? null : JSON.stringify(task)))),
  ];
  return [placesSql, parameters];
}

/** The places of a chain. */
export function placesOfChain(flow: number, members: readonly NewTask[]): TakenPlace[] {
  return members.map((task) => {
    const { place, run } = task.member ?? { place: null, run: 0 };
    return { flow, place: place ?? 0, run, id: null, task };
  });
}

/** Places of a flow: from the first up to, and not with, the second. */
export interface PlaceRange {
  readonly flow: number;
  readonly from: number;
  readonly to: number;
}

const chainSql = statement(
  "tasks-of-chains",
  `SELECT m.flow, m.task FROM ${rowsOf(2, "bigint", "int", "int")} AS r (flow, since, until)
     JOIN {flow_member} m ON m.flow = r.flow AND m.place >= r.since AND m.place < r.until
   WHERE m.task IS NOT NULL AND $1::int IS NOT NULL ORDER BY m.flow, m.place`,
);

/** The sealed tasks of chains, each with its flow's number. */
export async function tasksOfChains(
  database: Queries,
  ranges: readonly PlaceRange[],
): Promise<{ readonly flow: number; readonly task: NewTask }[]> {
  if (ranges.length === 0) return [];
  const rows = await database.all<{ flow: number; task: string }>(chainSql, rangeParameters(ranges));
  return rows.map(({ flow, task }) => ({ flow, task: JSON.parse(task) as NewTask }));
}

const membersSql = statement(
  "tasks-of-chain",
  `SELECT m.task FROM {flow} f JOIN {flow_member} m ON m.flow = f.seq
   WHERE f.project = $1 AND f.id = $2 AND m.task IS NOT NULL ORDER BY m.place`,
);

/** The members of a chain as they were sealed, by place. */
export async function membersOfChain(database: Queries, id: string): Promise<NewTask[]> {
  return (await database.all<{ task: string }>(membersSql, [id])).map(({ task }) => JSON.parse(task) as NewTask);
}

export function rangeParameters(ranges: readonly PlaceRange[]): string[] {
  return [
    numberArray(ranges.map(({ flow }) => flow)),
    numberArray(ranges.map(({ from }) => from)),
    numberArray(ranges.map(({ to }) => to)),
  ];
}
