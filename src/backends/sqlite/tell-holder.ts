import type { Session } from "./project-file.js";
import { giveOrder } from "./store-clusters.js";

/** Leaves an order for the cluster that holds a message: to cancel it. */
export function tellHolder(session: Session, consumer: number, id: string): void {
  const row = session.first<{ cluster: string }>("SELECT cluster FROM qluster_consumer WHERE seq = ?", [consumer]);
  if (row !== undefined) giveOrder(session, row.cluster, { order: "cancel", id });
}
