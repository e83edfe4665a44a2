import type { NewTask, Submitted } from "../../contracts/store.js";
import { fullBatch, notOpen } from "../../core/flow-refusals.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { memberText } from "../sql/member-text.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { addPlaces, lockFlows } from "./flow-rows.js";
import { newTaskColumns } from "./new-task-columns.js";
import { statement, type SqlValue, type Statement } from "./statement.js";

export function isMember({ member }: NewTask): boolean {
  return member !== undefined;
}

/**
 * Queues members, but those whose end their flow has already. Inside a transaction.
 *
 * @throws {FlowError} when a flow has ended or is full.
 */
export async function joinFlows(inside: Queries, tasks: readonly NewTask[]): Promise<Submitted[]> {
  const byFlow = new Map<string, NewTask[]>();
  for (const task of tasks) {
    const id = task.member?.flow ?? "";
    const members = byFlow.get(id);
    if (members === undefined) byFlow.set(id, [task]);
    else members.push(task);
  }
  const flows = new Map((await lockFlows(inside, [...byFlow.keys()])).map((flow) => [flow.id, flow]));
  const admitted: NewTask[] = [];
  for (const [id, members] of byFlow) admitted.push(...(await admit(inside, flows.get(id), id, members)));
  const created = await insertMembers(inside, admitted);
  return tasks.map(({ id }) => ({ id, created: created.delete(id) }));
}

async function admit(
  inside: Queries,
  flow: NumberedFlow | undefined,
  id: string,
  members: readonly NewTask[],
): Promise<readonly NewTask[]> {
  if (flow === undefined) throw notOpen(id, undefined);
  const isBatch = flow.kind === "batch";
  const fresh = isBatch ? await notJoined(inside, flow, members) : await withoutOutcome(inside, flow, members);
  if (fresh.length === 0) return fresh;
  if (flow.state !== "open") throw notOpen(id, flow);
  return isBatch ? await join(inside, flow, fresh) : fresh;
}

const endedSql = statement(
  "ended-places",
  `SELECT place FROM {flow_member}
   WHERE flow = $2 AND place = ANY ($3::int[]) AND state IS NOT NULL AND $1::int IS NOT NULL`,
);

async function withoutOutcome(
  inside: Queries,
  { seq }: NumberedFlow,
  members: readonly NewTask[],
): Promise<readonly NewTask[]> {
  const places = members.map(({ member }) => member?.place ?? 0);
  const rows = await inside.all<{ place: number }>(endedSql, [seq, numberArray(places)]);
  const ended = new Set(rows.map(({ place }) => place));
  return members.filter(({ member }) => !ended.has(member?.place ?? 0));
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

const columns =
  "id, queue, rank, delay, due, life, func, name, grp, kind, parent, unique_key, unique_until, key_life, envelope, member";

/**
 * What is known is left out before, and not by the conflict: to find out whether a row that is about to be removed stands in
 * the way, the insert would wait for the finish that removes it, which waits for our lock of the flow.
 */
const insertSql = statement(
  "insert-members",
  `WITH new AS (
     INSERT INTO {message} (project, queued_at, owner, rank, due_at, expires_at, send_at, queue, id, func, name, grp, kind,
       parent, envelope, member)
     SELECT $1, {now}, CASE WHEN d.due_at > {now} THEN 0 END, t.rank, d.due_at, {now} + t.life,
       greatest({now} + $18::bigint, d.due_at - $19::bigint), t.queue, t.id, t.func, t.name, t.grp, t.kind, t.parent, t.envelope,
       t.member
     FROM ${rowsOf(2, "text", "text", "int", "bigint", "bigint", "bigint", "text", "text", "text", "text", "text", "text", "text", "bigint", "text", "text")}
       WITH ORDINALITY AS t (${columns}, nth)
       CROSS JOIN LATERAL (SELECT greatest({now} + t.delay, t.due) AS due_at) AS d
     WHERE NOT EXISTS (SELECT FROM {message} m WHERE m.project = $1 AND m.id = t.id)
       AND NOT EXISTS (SELECT FROM {task} k WHERE k.project = $1 AND k.id = t.id)
     ORDER BY t.nth ON CONFLICT DO NOTHING RETURNING id)
   SELECT json_agg(id)::text AS ids, {tell}($1, 1)::text AS told FROM new`,
);

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
