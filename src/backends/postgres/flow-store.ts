import type { Flows, NewFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { numberArray, rowsOf, textArray } from "./array-literal.js";
import type { Queries } from "./connections.js";
import { moveFlows, queueSteps } from "./flow-advance.js";
import { readOutcomes } from "./flow-outcomes.js";
import { addFlow, addPlaces, findFlows, lockFlow, membersOfChain, placesOfChain } from "./flow-rows.js";
import type { ProjectDatabase } from "./project-database.js";
import { statement } from "./statement.js";

/** Flows in the tables `qluster_flow` and `qluster_flow_member`. */
export function postgresFlows(database: ProjectDatabase): Flows {
  const changed = (): void => {
    database.wakeUp.changed("messages");
    database.wakeUp.changed("results");
  };
  return {
    async open(flow, members) {
      await database.transaction((inside) => openFlow(inside, flow, members));
      changed();
    },
    async close(id, size) {
      await database.transaction((inside) => closeFlow(inside, id, size));
      changed();
    },
    async resume(id, run, again, expiresMs) {
      const resumed = await database.transaction((inside) => resumeChain(inside, id, run, again, expiresMs));
      if (resumed) changed();
      return resumed;
    },
    find: (ids) => findFlows(database, ids),
    members: (id) => membersOfChain(database, id),
    outcomes: async (id, from, maxBytes) => (await readOutcomes(database, id, from, maxBytes)).outcomes,
  };
}

/** Inside a transaction. */
async function openFlow(inside: Queries, flow: NewFlow, members: readonly NewTask[]): Promise<void> {
  const opened = await addFlow(inside, flow);
  if (opened === undefined) return;
  await addPlaces(inside, placesOfChain(opened.seq, members));
  if (flow.kind === "chain") await queueSteps(inside, [opened]);
  else await moveFlows(inside, [{ flow: opened, fresh: [] }]);
}

const closeSql = statement("close-flow", "UPDATE {flow} SET steps = $3 WHERE project = $1 AND seq = $2");

async function closeFlow(inside: Queries, id: string, size: number): Promise<void> {
  const flow = await lockFlow(inside, id);
  if (flow?.state !== "open" || flow.steps.length > 0) return;
  await inside.run(closeSql, [flow.seq, JSON.stringify([size])]);
  await moveFlows(inside, [{ flow: { ...flow, steps: [size] }, fresh: [] }]);
}

const clearSql = statement(
  "clear-outcomes",
  `UPDATE {flow_member} m SET state = NULL, result = NULL, error = NULL, run = $3, task = t.task
   FROM ${rowsOf(4, "int", "text")} AS t (place, task)
   WHERE m.flow = $2 AND m.place = t.place AND (m.state IS NULL OR m.state <> 'succeeded') AND $1::int IS NOT NULL`,
);

const reopenSql = statement(
  "reopen-flow",
  `WITH record AS (DELETE FROM {task} WHERE project = $1 AND id = $5)
   UPDATE {flow} f SET state = 'open', error = NULL, ended_at = NULL, run = $3, expires_at = {now} + $4::bigint, done = c.done,
     failed = c.failed, failed_at = c.failed_at
   FROM (
     SELECT count(state) AS done, count(*) FILTER (WHERE state <> 'succeeded') AS failed,
       min(place) FILTER (WHERE state <> 'succeeded') AS failed_at
     FROM {flow_member} WHERE flow = $2) AS c
   WHERE f.project = $1 AND f.seq = $2`,
);

async function resumeChain(
  inside: Queries,
  id: string,
  run: number,
  again: readonly NewTask[],
  expiresMs: number | null,
): Promise<boolean> {
  const flow = await lockFlow(inside, id);
  const isOver = flow?.state === "failed" || flow?.state === "cancelled";
  if (flow === undefined || !isOver || flow.kind !== "chain" || run !== flow.run + 1 || again.length === 0)
    return false;
  const places = new Set(again.map(({ member }) => member?.place));
  const tasks = textArray(again.map((task) => JSON.stringify(task)));
  await inside.run(clearSql, [flow.seq, run, numberArray(again.map(({ member }) => member?.place ?? 0)), tasks]);
  await inside.run(reopenSql, [flow.seq, run, expiresMs === null ? null : Math.ceil(expiresMs), id]);
  await queueSteps(inside, [flow], ({ member }) => places.has(member?.place));
  return true;
}
