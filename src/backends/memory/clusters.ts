import type { ClusterOrder, ClusterStatus } from "../../contracts/store.js";
import type { ProjectState } from "./state.js";

/** Publishes what a cluster says of itself. A copy is kept: the cluster may go on changing its own. */
export function beat(state: ProjectState, status: ClusterStatus, until: number): void {
  state.beats.set(status.clusterId, { status: structuredClone(status), until });
  state.bell.ring();
}

export function liveClusters(state: ProjectState, now: number): ClusterStatus[] {
  for (const [id, { until }] of state.beats) if (until <= now) state.beats.delete(id);
  return [...state.beats.values()].map(({ status }) => structuredClone(status));
}

export function giveOrder(state: ProjectState, clusterId: string, order: ClusterOrder): void {
  state.orders.set(clusterId, [...(state.orders.get(clusterId) ?? []), { ...order }]);
  state.bell.ring();
}

/** Each order is handed out once. */
export function takeOrders(state: ProjectState, clusterId: string): ClusterOrder[] {
  const orders = state.orders.get(clusterId) ?? [];
  state.orders.delete(clusterId);
  return orders;
}
