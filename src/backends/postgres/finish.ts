import type { Settlement } from "../../contracts/store.js";
import { consumerNumber } from "../sql/receipt.js";
import type { Queries } from "./connections.js";
import { endMessages, endPlain, type EndedMessage } from "./end-messages.js";
import { messageNumber } from "./held-messages.js";
import type { ProjectDatabase } from "./project-database.js";
import { isPutBack, putBack } from "./put-back.js";
import { submitWith } from "./submit.js";

/**
 * Ends deliveries, each only if the consumer still holds it: in one statement what is in no flow and has nothing that
 * follows, in one transaction the rest.
 */
export async function finishDeliveries(
  database: ProjectDatabase,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  if (settlements.length === 0) return [];
  const owner = consumerNumber(consumer);
  const turn = database.held.turn();
  const plain = isPlain(settlements) ? await endPlain(database, owner, settlements) : new Set<number>();
  const left = settlements.filter(({ receipt }) => !plain.has(messageNumber(receipt)));
  // A member of a flow, or not ours any more.
  const others = left.length > 0 ? await database.transaction((inside) => finishWith(inside, owner, left)) : plain;
  // Twice in one call is once: the first one was stored.
  const done = new Set([...plain, ...others]);
  const answers = settlements.map(({ receipt }) => done.delete(messageNumber(receipt)));
  const receipts = settlements.map(({ receipt }) => receipt);
  database.held.remove(String(owner), receipts, turn);
  database.wakeUp.changed("results");
  if (settlements.some((one) => isPutBack(one) || one.followUps.length > 0)) database.wakeUp.changed("messages");
  return answers;
}

/** The usual batch: what ends for good, is kept, and has nothing that follows. */
function isPlain(settlements: readonly Settlement[]): settlements is readonly (Settlement & EndedMessage)[] {
  return settlements.every(({ outcome, followUps }) => {
    const isKept = outcome.to !== "succeeded" || outcome.keep;
    return followUps.length === 0 && isKept && outcome.to !== "retrying" && outcome.to !== "queued";
  });
}

/** Resolves to the numbers of the messages that were still ours. */
async function finishWith(
  inside: Queries,
  consumer: number,
  settlements: readonly Settlement[],
): Promise<ReadonlySet<number>> {
  const ended = await endMessages(inside, consumer, settlements.filter(isEnding));
  const back = await putBack(inside, consumer, settlements.filter(isPutBack));
  const done = new Set([...ended, ...back]);
  const left = new Set(done);
  const followUps = settlements.flatMap((one) => (left.delete(messageNumber(one.receipt)) ? one.followUps : []));
  await submitWith(inside, followUps);
  return done;
}

function isEnding(settlement: Settlement): settlement is Settlement & EndedMessage {
  return !isPutBack(settlement);
}
