import type { ErrorRecord } from "../../contracts/store.js";
import { cancelledWhileWaiting, hooksOfCancelled } from "../../core/cancelled-task.js";
import { lateness } from "../../core/flow.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { memberRange } from "../sql/member-text.js";
import { numberArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { endMessages } from "./end-messages.js";
import { endFlows } from "./flow-end.js";
import { findFlows, lockFlowAlone } from "./flow-rows.js";
import { forgetDetails, nobody } from "./held-messages.js";
import type { ProjectDatabase } from "./project-database.js";
import { tasksById } from "./read.js";
import { statement } from "./statement.js";
import { submitUnsent } from "./submit.js";

/** Flows that one call ends. The rest is for the next one. */
const mostFlows = 100;
/** Members that one transaction ends, so that none of them runs into a time-out. */
const mostMembers = 5_000;

const words = { chain: "chain", iter: "iterable", batch: "batch" } as const;

/** How a flow ends before its members have. */
interface EarlyEnd {
  readonly state: "failed" | "cancelled";
  readonly members: "expired" | "cancelled";
  readonly error: ErrorRecord;
}

/** Ends an open flow, with every member that waits; the clusters that run others are told. */
export async function cancelFlow(database: ProjectDatabase, id: string): Promise<"cancelled" | "finished" | "unknown"> {
  const [flow] = await findFlows(database, [id]);
  if (flow === undefined) return "unknown";
  const error = { ...cancelledWhileWaiting, message: `The ${words[flow.kind]} was cancelled.` };
  const end = { state: "cancelled", members: "cancelled", error } as const;
  return (await endEarly(database, id, () => end)) ? "cancelled" : "finished";
}

const overdueSql = statement(
  "overdue-flows",
  `SELECT id, {now} AS now FROM {flow}
   WHERE project = $1 AND state = 'open' AND expires_at IS NOT NULL AND expires_at <= {now} LIMIT ${mostFlows}`,
);

/** Ends flows whose time is up, as failed. Resolves to whether there were any. */
export async function expireFlows(database: ProjectDatabase): Promise<boolean> {
  const overdue = await database.all<{ id: string; now: number }>(overdueSql);
  for (const { id, now } of overdue) {
    await endEarly(database, id, (flow) => {
      // A chain that was resumed meanwhile has time again.
      if (flow.expiresAt === null || flow.expiresAt > now) return undefined;
      return { state: "failed", members: "expired", error: lateness(flow) };
    });
  }
  return overdue.length > 0;
}

/** The flow ends first: its members change nothing of it any more. Of very many, the rest ends after it. */
async function endEarly(
  database: ProjectDatabase,
  id: string,
  how: (flow: NumberedFlow) => EarlyEnd | undefined,
): Promise<boolean> {
  const ended = await database.transaction(async (inside) => {
    const waiting = await lockWaiting(inside, id);
    const flow = await lockFlowAlone(inside, id);
    const end = flow?.state === "open" ? how(flow) : undefined;
    if (flow === undefined || end === undefined) return undefined;
    await endFlows(inside, [{ flow, state: end.state, error: end.error }]);
    await endWaiting(inside, flow, waiting, end);
    await inside.first(tellHoldersSql, [...memberRange(id)]);
    return { flow, end };
  });
  if (ended === undefined) return false;
  const { flow, end } = ended;
  // Others may have joined before it was locked.
  while (await database.transaction((inside) => endMore(inside, flow, end)));
  return true;
}

async function endMore(inside: Queries, flow: NumberedFlow, end: EarlyEnd): Promise<boolean> {
  const waiting = await lockWaiting(inside, flow.id);
  await endWaiting(inside, flow, waiting, end);
  return waiting.length > 0;
}

const ofFlow = "m.project = $1 AND m.member IS NOT NULL AND m.member >= $2 AND m.member < $3";

const lockWaitingSql = statement(
  "lock-waiting-members",
  `SELECT m.seq, m.id, {now} AS now FROM {message} m WHERE ${ofFlow} AND coalesce(m.owner, ${nobody}) = ${nobody}
   ORDER BY m.member LIMIT ${mostMembers} FOR UPDATE`,
);

interface WaitingRow {
  readonly seq: number;
  readonly id: string;
  readonly now: number;
}

async function lockWaiting(inside: Queries, flow: string): Promise<WaitingRow[]> {
  return await inside.all<WaitingRow>(lockWaitingSql, [...memberRange(flow)]);
}

const tellHoldersSql = statement(
  "tell-holders",
  `WITH told AS (
     INSERT INTO {order} (project, cluster, told_at, body)
     SELECT $1, c.cluster, {now}, json_build_object('order', 'cancel', 'id', m.id)::text
     FROM {message} m JOIN {consumer} c ON c.seq = m.owner WHERE ${ofFlow} AND m.owner > 0 RETURNING 1)
   SELECT {tell}($1, 3) FROM told LIMIT 1`,
);

const removeSql = statement(
  "remove-waiting",
  `WITH gone AS (DELETE FROM {message} m WHERE m.project = $1 AND m.seq = ANY ($2::bigint[]) RETURNING m.id), ${forgetDetails}
   SELECT count(*) FROM gone`,
);

async function endWaiting(
  inside: Queries,
  { kind }: NumberedFlow,
  waiting: readonly WaitingRow[],
  { members, error }: EarlyEnd,
): Promise<void> {
  const [first] = waiting;
  if (first === undefined) return;
  // Elements leave no record but of a failure of their own, and there may be a million.
  if (kind === "iter") return void (await inside.first(removeSql, [numberArray(waiting.map(({ seq }) => seq))]));
  const tasks = await tasksById(
    inside,
    waiting.map(({ id }) => id),
  );
  const outcome = { to: members, error } as const;
  await endMessages(
    inside,
    nobody,
    waiting.map(({ seq }) => ({ receipt: seq, attempt: null, outcome })),
  );
  await submitUnsent(
    inside,
    tasks.flatMap((task) => hooksOfCancelled(task, first.now, error)),
  );
}
