import type { CancelAnswer, NewTask } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { cancelFlow } from "./flow-cancel.js";
import { endMessage, giveOrder } from "./settle.js";
import type { ProjectState } from "./state.js";
import { submitTask } from "./submit.js";

export function cancelTask(
  state: ProjectState,
  id: string,
  now: number,
  followUps: readonly NewTask[] = [],
): CancelAnswer {
  if (state.finished.has(id)) return "finished";
  const message = state.messages.get(id);
  if (message === undefined) return cancelOther(state, id, now);
  if (message.holder === null) {
    endMessage(state, message, { to: "cancelled", error: cancelledWhileWaiting }, now);
    for (const task of followUps) submitTask(state, task, now);
    return "cancelled";
  }
  giveOrder(state, message);
  return "requested";
}

function cancelOther(state: ProjectState, id: string, now: number): CancelAnswer {
  const held = state.flows.get(id);
  if (held?.flow.state !== "open") return "unknown";
  cancelFlow(state, held, now);
  return "cancelled";
}
