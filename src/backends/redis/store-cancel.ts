import type { CancelAnswer, ClusterOrder, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { memberOutcome } from "../../core/member-end.js";
import { isFinal, packEnding } from "./ending.js";
import { cancelFlow } from "./flow-cancel.js";
import { readFlow } from "./flow-hash.js";
import { lackingPlace, moveAfter, type Need } from "./flow-moves.js";
import { packMessage } from "./packing.js";
import type { RedisProject, Values } from "./project.js";
import { isRefusal, refusalError } from "./store-submit.js";

/** Ends a waiting task or a flow, or leaves an order for the cluster that holds the task. */
export async function cancelTask(
  project: RedisProject,
  id: string,
  followUps: readonly NewTask[],
): Promise<CancelAnswer> {
  const outcome = { to: "cancelled", error: cancelledWhileWaiting } as const;
  const { record } = packEnding({ attempt: null, outcome });
  const order: ClusterOrder = { order: "cancel", id };
  for (let moves: readonly Values[] = []; ;) {
    const given = moves.flat();
    const values = [id, record, JSON.stringify(order), moves.length, ...given, ...followUps.flatMap(packMessage)];
    const reply = await project.runSafely<CancelAnswer | readonly [now: number, hash: string[]] | Need>(
      "cancel",
      () => values,
    );
    if (typeof reply === "string") return reply;
    if (reply.length === 2) {
      const flow = readFlow(id, reply[1]);
      return flow === undefined ? "unknown" : await cancelFlow(project, flow, reply[0]);
    }
    moves = await movesFor(project, reply, outcome);
  }
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. */
export async function saveFinished(
  project: RedisProject,
  task: NewTask,
  settlement: Omit<Settlement, "receipt">,
): Promise<void> {
  const { outcome } = settlement;
  if (!isFinal(outcome)) return;
  const { action, record, result, ms } = packEnding(settlement, task.member !== undefined);
  const message = packMessage({ ...task, delayMs: 0, dueAt: null, unique: null });
  const rest = [...message, ...settlement.followUps.flatMap(packMessage)];
  for (let moves: readonly Values[] = []; ;) {
    const values = [action, record, result, ms, moves.length, ...moves.flat(), ...rest];
    const reply = await project.runSafely<number | Need>("save", () => values);
    if (isRefusal(reply)) throw refusalError(reply);
    if (typeof reply === "number") return;
    moves = await movesFor(project, reply, outcome);
  }
}

async function movesFor(
  project: RedisProject,
  need: Need,
  outcome: Parameters<typeof memberOutcome>[2],
): Promise<readonly Values[]> {
  const { place, run } = lackingPlace(need);
  const { values: move } = await moveAfter(project, need, memberOutcome(place, run, outcome));
  return move.length === 0 ? [] : [move];
}
