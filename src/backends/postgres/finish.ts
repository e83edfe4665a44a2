import type { Settlement } from "../../contracts/store.js";
import { consumerNumber } from "../sql/receipt.js";
import type { Queries } from "./connections.js";
import { endMessages, type EndedMessage } from "./end-messages.js";
import { messageNumber } from "./held-messages.js";
import type { ProjectDatabase } from "./project-database.js";
import { isPutBack, putBack } from "./put-back.js";
import { submitWith } from "./submit.js";

/** Ends deliveries, all in one transaction, each only if the consumer still holds it. */
export async function finishDeliveries(
  database: ProjectDatabase,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  if (settlements.length === 0) return [];
  const owner = consumerNumber(consumer);
  const turn = database.held.turn();
  const answers = isOneStatement(settlements)
    ? await finishWith(database, owner, settlements)
    : await database.transaction((inside) => finishWith(inside, owner, settlements));
  const receipts = settlements.map(({ receipt }) => receipt);
  database.held.remove(String(owner), receipts, turn);
  database.wakeUp.changed("results");
  if (settlements.some((one) => isPutBack(one) || one.followUps.length > 0)) database.wakeUp.changed("messages");
  return answers;
}

/** The usual batch: what ends for good, is kept, and has nothing that follows. */
function isOneStatement(settlements: readonly Settlement[]): boolean {
  return settlements.every(({ outcome, followUps }) => {
    const isKept = outcome.to !== "succeeded" || outcome.keep;
    return followUps.length === 0 && isKept && outcome.to !== "retrying" && outcome.to !== "queued";
  });
}

async function finishWith(database: Queries, consumer: number, settlements: readonly Settlement[]): Promise<boolean[]> {
  const done = new Set([
    ...(await endMessages(database, consumer, settlements.filter(isEnding))),
    ...(await putBack(database, consumer, settlements.filter(isPutBack))),
  ]);
  // Twice in one call is once: the first one was stored.
  const answers = settlements.map(({ receipt }) => done.delete(messageNumber(receipt)));
  const followUps = settlements.flatMap((settlement, index) => (answers[index] === true ? settlement.followUps : []));
  await submitWith(database, followUps);
  return answers;
}

function isEnding(settlement: Settlement): settlement is Settlement & EndedMessage {
  return !isPutBack(settlement);
}
