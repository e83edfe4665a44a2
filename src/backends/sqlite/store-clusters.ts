import type { ClusterOrder, ClusterStatus } from "../../contracts/store.js";
import type { ProjectFile, Session } from "./project-file.js";

const beatSql = `
  INSERT INTO qluster_heartbeat (project, cluster, expires_at, status) VALUES (?, ?, ?, ?)
  ON CONFLICT (project, cluster) DO UPDATE SET expires_at = excluded.expires_at, status = excluded.status`;

/** Publishes a cluster's status. */
export function beat(session: Session, status: ClusterStatus, ttlMs: number): void {
  session.run(beatSql, [session.project, status.clusterId, Math.ceil(session.now + ttlMs), JSON.stringify(status)]);
}

export function liveClusters(session: Session): ClusterStatus[] {
  return session
    .all<{ status: string }>(
      "SELECT status FROM qluster_heartbeat WHERE project = ? AND expires_at > ? ORDER BY cluster",
      [session.project, session.now],
    )
    .map(({ status }) => JSON.parse(status) as ClusterStatus);
}

export function giveOrder(session: Session, cluster: string, order: ClusterOrder): void {
  session.run("INSERT INTO qluster_order (project, cluster, told_at, body) VALUES (?, ?, ?, ?)", [
    session.project,
    cluster,
    session.now,
    JSON.stringify(order),
  ]);
}

/** Takes the orders for a cluster, oldest first. Looks first, so that an empty inbox costs no write. */
export async function takeOrders(file: ProjectFile, cluster: string): Promise<ClusterOrder[]> {
  const isEmpty = await file.read((session) => {
    const sql = "SELECT 1 FROM qluster_order WHERE project = ? AND cluster = ? LIMIT 1";
    return session.first(sql, [session.project, cluster]) === undefined;
  });
  if (isEmpty) return [];
  const rows = await file.write((session) =>
    session.all<{ seq: number; body: string }>(
      "DELETE FROM qluster_order WHERE project = ? AND cluster = ? RETURNING seq, body",
      [session.project, cluster],
    ),
  );
  return rows.sort((a, b) => a.seq - b.seq).map(({ body }) => JSON.parse(body) as ClusterOrder);
}
