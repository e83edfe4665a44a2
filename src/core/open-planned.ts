import type { Store } from "../contracts/store.js";
import { FlowError } from "../errors.js";
import type { PlannedFlow } from "./schedule/flow-plan.js";

/**
 * Opens the flow of a schedule's slot, with all of its members. Harmless when repeated, also by another cluster, and also when
 * it was interrupted: every id is derived, and each of these writes changes nothing when it was made before.
 */
export async function openPlanned(
  store: Pick<Store, "flows" | "submit" | "capabilities">,
  { flow, members }: PlannedFlow,
): Promise<void> {
  const { flows, capabilities } = store;
  if (flows === undefined) {
    throw new FlowError(
      "The database of this project keeps no chains, iterables and batches. Change the schedule to a task of its own.",
    );
  }
  const carryBytes = Math.min(flow.carryBytes, capabilities.maxResultBytes);
  await flows.open({ ...flow, carryBytes }, flow.kind === "chain" ? members : []);
  if (flow.kind === "chain") return;
  try {
    if (members.length > 0) await store.submit(members);
    if (flow.kind === "iter") await flows.close(flow.id, members.length);
  } catch (error) {
    // Somebody has cancelled it meanwhile, or its time is up: it was opened, and nothing more is to be done.
    if (!(error instanceof FlowError)) throw error;
  }
}
