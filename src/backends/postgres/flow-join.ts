import type { NewTask, Submitted } from "../../contracts/store.js";
import { fullBatch, notOpen } from "../../core/flow-refusals.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { memberText } from "../sql/member-text.js";
import { rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { addPlaces, lockFlows } from "./flow-rows.js";
import { newTaskColumns } from "./new-task-columns.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

export function isMember({ member }: NewTask): boolean {
  return member !== undefined;
}

/** Its place is counted when it joins. */
export function isOfBatch({ member }: NewTask): boolean {
  return member?.place === null;
}

/**
 * Queues members, but those whose end their flow has already. Inside a transaction, when there are some of a batch.
 *
 * @throws {FlowError} when a flow has ended or is full.
 */
export async function joinFlows(database: Queries, tasks: readonly NewTask[]): Promise<Submitted[]> {
  const ofBatches = tasks.filter(isOfBatch);
  const placed = ofBatches.length === 0 ? tasks : tasks.filter((task) => !isOfBatch(task));
  const created = placed.length === 0 ? new Set<string>() : await joinPlaced(database, placed);
  for (const id of await joinBatches(database, ofBatches)) created.add(id);
  return tasks.map(({ id }) => ({ id, created: created.delete(id) }));
}

async function joinBatches(inside: Queries, tasks: readonly NewTask[]): Promise<Set<string>> {
  if (tasks.length === 0) return new Set();
  const byFlow = new Map<string, NewTask[]>();
  for (const task of tasks) {
    const id = flowIdOf(task);
    const members = byFlow.get(id);
    if (members === undefined) byFlow.set(id, [task]);
    else members.push(task);
  }
  const flows = new Map((await lockFlows(inside, [...byFlow.keys()])).map((flow) => [flow.id, flow]));
  const admitted: NewTask[] = [];
  for (const [id, members] of byFlow) {
    const flow = flows.get(id);
    if (flow === undefined) throw notOpen(id, undefined);
    const fresh = await notJoined(inside, flow, members);
    if (fresh.length === 0) continue;
    if (flow.state !== "open") throw notOpen(id, flow);
    admitted.push(...(await join(inside, flow, fresh)));
  }
  return await insertMembers(inside, admitted);
}

function flowIdOf({ member }: NewTask): string {
  return member?.flow ?? "";
}

const joinedSql = statement(
  "joined-ids",
  "SELECT id FROM {flow_member} WHERE flow = $2 AND id = ANY ($3::text[]) AND $1::int IS NOT NULL",
);

async function notJoined(inside: Queries, { seq }: NumberedFlow, members: readonly NewTask[]): Promise<NewTask[]> {
  const rows = await inside.all<{ id: string }>(joinedSql, [seq, textArray(members.map(({ id }) => id))]);
  const known = new Set(rows.map(({ id }) => id));
  return members.filter(({ id }) => !known.has(id) && known.add(id));
}

const countSql = statement(
  "count-joined",
  "UPDATE {flow} SET joined = joined + $3::int WHERE project = $1 AND seq = $2",
);

/** Gives each new member of a batch a place. */
async function join(inside: Queries, flow: NumberedFlow, members: readonly NewTask[]): Promise<NewTask[]> {
  const size = flow.steps[0] ?? 0;
  if (flow.joined + members.length > size) throw fullBatch(flow, members.length);
  const placeOf = (index: number): number => flow.joined + index;
  const places = members.map(({ id }, index) => ({ flow: flow.seq, place: placeOf(index), run: 0, id, task: null }));
  await addPlaces(inside, places);
  await inside.run(countSql, [flow.seq, members.length]);
  return members.map((task, index) => ({ ...task, member: { flow: flow.id, place: placeOf(index), run: 0 } }));
}

const newColumns = `{message} (project, queued_at, owner, rank, due_at, expires_at, send_at, queue, id, func, name, grp, kind,
       parent, envelope, member)`;

const newValues = `$1, {now}, CASE WHEN d.due_at > {now} THEN 0 END, t.rank, d.due_at, {now} + t.life,
       greatest({now} + $18::bigint, d.due_at - $19::bigint), t.queue, t.id, t.func, t.name, t.grp, t.kind, t.parent, t.envelope,
       t.member`;

const columns =
  "id, queue, rank, delay, due, life, func, name, grp, kind, parent, unique_key, unique_until, key_life, envelope, member";

const newRows = `${rowsOf(2, "text", "text", "int", "bigint", "bigint", "bigint", "text", "text", "text", "text", "text", "text", "text", "bigint", "text", "text")}
       WITH ORDINALITY AS t (${columns}, nth)`;

/** The limit keeps the planner from reading all tasks of the project instead of looking for each one. */
const isUnknown = `(SELECT true FROM {message} m WHERE m.project = $1 AND m.id = t.id LIMIT 1) IS NULL
       AND (SELECT true FROM {task} k WHERE k.project = $1 AND k.id = t.id LIMIT 1) IS NULL`;

/**
 * What is known is left out before, and not by the conflict: to find out whether a row that is about to be removed stands in
 * the way, the insert would wait for the finish that removes it, which waits for our lock of the flow.
 */
const insertSql = statement(
  "insert-members",
  `WITH new AS (
     INSERT INTO ${newColumns}
     SELECT ${newValues} FROM ${newRows} CROSS JOIN LATERAL (SELECT greatest({now} + t.delay, t.due) AS due_at) AS d
     WHERE ${isUnknown}
     ORDER BY t.nth ON CONFLICT DO NOTHING RETURNING id)
   SELECT json_agg(id)::text AS ids, {tell}($1, 1)::text AS told FROM new`,
);

/**
 * The same for members whose places are known, with all that has to be looked at before: in one statement, as of one moment,
 * in which each of them stands in the queue, or its outcome with the flow, or it is new. Nothing is queued if one that is
 * new cannot join. The lock lets others count the flow meanwhile, and lets nobody end it early.
 */
const joinSql = statement(
  "join-flows",
  `WITH locked AS MATERIALIZED (
     SELECT f.seq, f.id, f.kind, f.state FROM {flow} f WHERE f.project = $1 AND f.id = ANY ($20::text[])
     ORDER BY f.id FOR KEY SHARE),
   fresh AS MATERIALIZED (
     SELECT t.*, l.id AS flow, l.state FROM ${newRows} LEFT JOIN locked l ON l.id = split_part(t.member, '.', 1)
     WHERE ${isUnknown}
       AND NOT EXISTS (
         SELECT FROM {flow_member} o
         WHERE o.flow = l.seq AND o.place = split_part(t.member, '.', 2)::int AND o.state IS NOT NULL)),
   shut AS MATERIALIZED (
     SELECT w.id, l.kind, l.state FROM unnest($20::text[]) AS w (id) LEFT JOIN locked l ON l.id = w.id
     WHERE l.id IS NULL OR (l.state <> 'open' AND EXISTS (SELECT FROM fresh WHERE fresh.flow = l.id))),
   new AS (
     INSERT INTO ${newColumns}
     SELECT ${newValues} FROM fresh t CROSS JOIN LATERAL (SELECT greatest({now} + t.delay, t.due) AS due_at) AS d
     WHERE NOT EXISTS (SELECT FROM shut) ORDER BY t.nth ON CONFLICT DO NOTHING RETURNING id)
   SELECT json_agg(id)::text AS ids, {tell}($1, 1)::text AS told, (SELECT json_agg(shut) FROM shut)::text AS shut FROM new`,
);

interface ShutFlow extends Pick<NumberedFlow, "id" | "kind"> {
  /** `null`: there is no such flow. */
  readonly state: NumberedFlow["state"] | null;
}

async function joinPlaced(database: Queries, tasks: readonly NewTask[]): Promise<Set<string>> {
  const flows = textArray([...new Set(tasks.map(flowIdOf))]);
  const [, parameters] = insertingMembers(tasks, database);
  const row = await database.first<{ ids: string | null; shut: string | null }>(joinSql, [...parameters, flows]);
  const [shut] = JSON.parse(row?.shut ?? "[]") as ShutFlow[];
  if (shut !== undefined) {
    const { id, kind, state } = shut;
    throw notOpen(id, state === null ? undefined : { kind, state });
  }
  return new Set(JSON.parse(row?.ids ?? "[]") as string[]);
}

/** Queues members whose flows are locked. Resolves to the ids of those that are new. */
export async function insertMembers(inside: Queries, tasks: readonly NewTask[]): Promise<Set<string>> {
  if (tasks.length === 0) return new Set();
  const row = await inside.first<{ ids: string | null }>(...insertingMembers(tasks, inside));
  return new Set(JSON.parse(row?.ids ?? "[]") as string[]);
}

/** The statement of {@link insertMembers} for a transaction of the application, with its parameters after the project. */
export function insertingMembers(
  tasks: readonly NewTask[],
  { outbox }: Pick<Queries, "outbox">,
): readonly [Statement, readonly SqlValue[]] {
  const members = textArray(tasks.map(({ member }) => memberText(member)));
  return [insertSql, [...newTaskColumns(tasks), members, outbox?.handMs ?? null, outbox?.aheadMs ?? null]];
}
