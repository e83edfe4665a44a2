import { cancelledWhileWaiting, hooksOfCancelled } from "../../core/cancelled-task.js";
import { lateness } from "../../core/flow.js";
import type { FinalState, Outcome } from "../../contracts/store.js";
import { endFlow } from "./flow-advance.js";
import type { FlowState } from "./flow-state.js";
import { endMessage, forget, giveOrder } from "./settle.js";
import type { ProjectState } from "./state.js";
import { submitUnsent } from "./submit-unsent.js";
import { unfinished } from "./task-states.js";

const words = { chain: "chain", iter: "iterable", batch: "batch" } as const;

/** Ends an open flow, with every member that waits; the clusters that run others are told. */
export function cancelFlow(state: ProjectState, held: FlowState, now: number): void {
  const error = { ...cancelledWhileWaiting, message: `The ${words[held.flow.kind]} was cancelled.` };
  endFlow(state, held, { state: "cancelled", error }, now);
  endMembers(state, held, { to: "cancelled", error }, now);
}

/** Ends flows whose time is up, as failed. */
export function expireFlows(state: ProjectState, now: number): void {
  for (const held of state.flows.values()) {
    const { flow } = held;
    if (flow.state !== "open" || flow.expiresAt === null || flow.expiresAt > now) continue;
    const error = lateness(flow);
    endFlow(state, held, { state: "failed", error }, now);
    endMembers(state, held, { to: "expired", error }, now);
  }
}

type Failure = Exclude<Extract<Outcome, { to: FinalState }>, { to: "succeeded" }>;

function endMembers(state: ProjectState, { flow }: FlowState, outcome: Failure, now: number): void {
  const members = [...state.messages.values()].filter(({ member }) => member?.flow === flow.id);
  for (const message of members) {
    if (message.holder !== null) giveOrder(state, message);
    else if (flow.kind === "iter") forget(state, message);
    else {
      const task = unfinished(state, message, now);
      endMessage(state, message, outcome, now);
      for (const hook of hooksOfCancelled(task, now, outcome.error)) submitUnsent(state, hook, now);
    }
  }
}
