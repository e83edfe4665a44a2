import type { StoredFlow } from "../contracts/flows.js";
import { FlowError } from "../errors.js";

const words = { chain: "chain", iter: "iterable", batch: "batch" } as const;

/** A member came for a flow that takes none. @param flow - `undefined`: there is no such flow. */
export function notOpen(id: string, flow: Pick<StoredFlow, "kind" | "state"> | undefined): FlowError {
  if (flow === undefined) {
    return new FlowError(`There is no batch or iterable ${id}. It may have been removed; open a new one.`);
  }
  return new FlowError(
    `The ${words[flow.kind]} ${id} has ended (${flow.state}), so nothing can join it. Open a new one.`,
  );
}

/** @param more - How many members were to join. */
export function fullBatch(
  flow: Pick<StoredFlow, "id" | "steps" | "name"> & { readonly joined: number },
  more: number,
): FlowError {
  const size = flow.steps[0] ?? 0;
  return new FlowError(
    `The batch ${flow.name ?? flow.id} was opened for ${size} tasks and has ${flow.joined} already, so ${more} more cannot join. ` +
      "Nothing was enqueued. Open it with a larger `size`, or open another one.",
  );
}
