import type { CancelAnswer, NewTask, Settlement } from "../../contracts/store.js";
import { cancelledWhileWaiting } from "../../core/cancelled-task.js";
import { giveOrder } from "./clusters.js";
import type { Queries } from "./connections.js";
import { endMessages } from "./end-messages.js";
import { nobody } from "./held-messages.js";
import { statement } from "./statement.js";
import { submitWith } from "./submit.js";

const lockMessage = statement(
  "lock-message",
  "SELECT seq, owner FROM {message} WHERE project = $1 AND id = $2 FOR UPDATE",
);
const findTask = statement("find-task", "SELECT 1 AS found FROM {task} WHERE project = $1 AND id = $2");
const findHolder = statement("find-holder", "SELECT cluster FROM {consumer} WHERE project = $1 AND seq = $2");

interface WaitingRow {
  readonly seq: number;
  readonly owner: number | null;
}

/** Ends a waiting task, or leaves an order for the cluster that holds it. Inside a transaction. */
export async function cancelTask(
  database: Queries,
  id: string,
  followUps: readonly NewTask[] = [],
): Promise<CancelAnswer> {
  const message = await database.first<WaitingRow>(lockMessage, [id]);
  if (message === undefined) {
    return (await database.first(findTask, [id])) === undefined ? "unknown" : "finished";
  }
  if (message.owner !== null && message.owner !== nobody) {
    const holder = await database.first<{ cluster: string }>(findHolder, [message.owner]);
    if (holder !== undefined) await giveOrder(database, holder.cluster, { order: "cancel", id });
    return "requested";
  }
  const outcome = { to: "cancelled", error: cancelledWhileWaiting } as const;
  await endMessages(database, nobody, [{ receipt: message.seq, attempt: null, outcome }]);
  await submitWith(database, followUps);
  return "cancelled";
}

/** Stores a task that has run outside of any cluster, with what follows from it. A known id changes nothing. Inside a transaction. */
export async function saveFinishedTask(
  database: Queries,
  task: NewTask,
  settlement: Omit<Settlement, "receipt">,
): Promise<void> {
  const { attempt, outcome, followUps } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued") return;
  // It passes through the queue inside this transaction, so that there is one way to end a task.
  const [submitted] = await submitWith(database, [{ ...task, delayMs: 0, dueAt: null, unique: null }]);
  if (submitted?.created !== true) return;
  const message = await database.first<WaitingRow>(lockMessage, [task.id]);
  if (message !== undefined) await endMessages(database, nobody, [{ receipt: message.seq, attempt, outcome }]);
  await submitWith(database, followUps);
}
