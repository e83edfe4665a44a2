import type { ClusterOrder, ClusterStatus } from "../../contracts/store.js";
import type { Queries } from "./connections.js";
import { statement } from "./statement.js";

const beatSql = statement(
  "beat",
  `INSERT INTO {heartbeat} (project, cluster, expires_at, status) VALUES ($1, $2, {now} + $3, $4)
   ON CONFLICT (project, cluster) DO UPDATE SET expires_at = excluded.expires_at, status = excluded.status`,
  { isQuick: true },
);
const liveSql = statement(
  "live-clusters",
  "SELECT status FROM {heartbeat} WHERE project = $1 AND expires_at > {now} ORDER BY cluster",
);
const giveSql = statement(
  "give-order",
  `WITH told AS (INSERT INTO {order} (project, cluster, told_at, body) VALUES ($1, $2, {now}, $3))
   SELECT {tell}($1, 3)`,
);
const takeSql = statement(
  "take-orders",
  "DELETE FROM {order} WHERE project = $1 AND cluster = $2 RETURNING seq, body",
  { isQuick: true },
);

/** Publishes a cluster's status. */
export async function beat(database: Queries, status: ClusterStatus, ttlMs: number): Promise<void> {
  await database.run(beatSql, [status.clusterId, Math.ceil(ttlMs), JSON.stringify(status)]);
}

export async function liveClusters(database: Queries): Promise<ClusterStatus[]> {
  const rows = await database.all<{ status: string }>(liveSql);
  return rows.map(({ status }) => JSON.parse(status) as ClusterStatus);
}

export async function giveOrder(database: Queries, cluster: string, order: ClusterOrder): Promise<void> {
  await database.first(giveSql, [cluster, JSON.stringify(order)]);
}

/** Takes the orders for a cluster, each once, oldest first. */
export async function takeOrders(database: Queries, cluster: string): Promise<ClusterOrder[]> {
  const rows = await database.all<{ seq: number; body: string }>(takeSql, [cluster]);
  return rows.sort((a, b) => a.seq - b.seq).map(({ body }) => JSON.parse(body) as ClusterOrder);
}
