import type { CancelAnswer, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { memberFrom } from "../sql/member-text.js";
import { giveOrder } from "./clusters.js";
import type { Queries } from "./connections.js";
import { endMessages } from "./end-messages.js";
import { lockFlow } from "./flow-rows.js";
import { nobody } from "./held-messages.js";
import { statement } from "./statement.js";
import { submitWith } from "./submit.js";

const lockMessage = statement(
  "lock-message",
  "SELECT seq, owner, member FROM {message} WHERE project = $1 AND id = $2 FOR UPDATE",
);
const findTask = statement("find-task", "SELECT 1 AS found FROM {task} WHERE project = $1 AND id = $2");
const findHolder = statement("find-holder", "SELECT cluster FROM {consumer} WHERE project = $1 AND seq = $2");

interface WaitingRow {
  readonly seq: number;
  readonly owner: number | null;
  readonly member: string | null;
}

/** Ends a waiting task, or leaves an order for the cluster that holds it. Inside a transaction. */
export async function cancelTask(
  inside: Queries,
  id: string,
  followUps: readonly NewTask[] = [],
): Promise<CancelAnswer> {
  const message = await inside.first<WaitingRow>(lockMessage, [id]);
  if (message === undefined) {
    return (await inside.first(findTask, [id])) === undefined ? "unknown" : "finished";
  }
  if (message.owner !== null && message.owner !== nobody) {
    const holder = await inside.first<{ cluster: string }>(findHolder, [message.owner]);
    if (holder !== undefined) await giveOrder(inside, holder.cluster, { order: "cancel", id });
    return "requested";
  }
  // Before anything else that it changes.
  if (message.member !== null) await lockFlow(inside, memberFrom(message.member).flow);
  const outcome = { to: "cancelled", error: cancelledWhileWaiting } as const;
  await endMessages(inside, nobody, [{ receipt: message.seq, attempt: null, outcome }]);
  await submitWith(inside, followUps);
  return "cancelled";
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. Inside a transaction. */
export async function saveFinishedTask(
  inside: Queries,
  task: NewTask,
  settlement: Omit<Settlement, "receipt">,
): Promise<void> {
  const { attempt, outcome, followUps } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued") return;
  // It passes through the queue inside this transaction, so that there is one way to end a task.
  const [submitted] = await submitWith(inside, [{ ...task, delayMs: 0, dueAt: null, unique: null }]);
  if (submitted?.created !== true) return;
  const message = await inside.first<WaitingRow>(lockMessage, [task.id]);
  if (message !== undefined) await endMessages(inside, nobody, [{ receipt: message.seq, attempt, outcome }]);
  await submitWith(inside, followUps);
}
