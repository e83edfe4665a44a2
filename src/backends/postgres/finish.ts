import type { Settlement } from "../../contracts/store.js";
import { consumerNumber } from "../sql/receipt.js";
import type { Queries } from "./connections.js";
import { endMessages, endPlain, type EndedMessage } from "./end-messages.js";
import { endSuccesses } from "./end-successes.js";
import { finishMembers, type MemberEnd } from "./finish-members.js";
import { messageNumber } from "./held-messages.js";
import type { ProjectDatabase } from "./project-database.js";
import { isPutBack, putBack } from "./put-back.js";
import { submitWith } from "./submit.js";

/**
 * Ends deliveries, each only if the consumer still holds it: in one statement what has nothing of its own that follows, in
 * one transaction the rest.
 */
export async function finishDeliveries(
  database: ProjectDatabase,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  if (settlements.length === 0) return [];
  const turn = database.held.turn();
  const { done, hasQueued } = await finished(database, consumerNumber(consumer), settlements);
  const numbers = settlements.map(({ receipt }) => messageNumber(receipt));
  const answers = numbers.map((number) => done.delete(number));
  database.held.remove(consumer, numbers, turn);
  for (const number of numbers) database.takenMembers.remove(number);
  database.wakeUp.changed("results");
  if (hasQueued) database.wakeUp.changed("messages");
  return answers;
}

interface Finished {
  /** The numbers of the messages that were still ours. Twice in one call is once: the first one was stored. */
  readonly done: Set<number>;
  /** There may be new messages. */
  readonly hasQueued: boolean;
}

async function finished(
  database: ProjectDatabase,
  owner: number,
  settlements: readonly Settlement[],
): Promise<Finished> {
  const hasMembers = settlements.some(({ receipt }) => database.takenMembers.has(messageNumber(receipt)));
  if (hasMembers && settlements.every(isAlone)) {
    const stored = await finishMembers(database, owner, settlements);
    if (stored !== undefined) return { done: new Set(stored.seqs), hasQueued: stored.moved };
  }
  const plain =
    !hasMembers && isPlain(settlements) ? await endedPlain(database, owner, settlements) : new Set<number>();
  const left = settlements.filter(({ receipt }) => !plain.has(messageNumber(receipt)));
  if (left.length === 0) return { done: new Set(plain), hasQueued: false };
  // A member of a flow, or not ours any more.
  const others = await database.transaction((inside) => finishWith(inside, owner, left));
  return { done: new Set([...plain, ...others]), hasQueued: true };
}

async function endedPlain(
  database: ProjectDatabase,
  owner: number,
  messages: readonly EndedMessage[],
): Promise<ReadonlySet<number>> {
  return (await endSuccesses(database, owner, messages)) ?? (await endPlain(database, owner, messages));
}

/** It ends for good, and has nothing of its own that follows. */
function isAlone(settlement: Settlement): settlement is MemberEnd {
  return settlement.followUps.length === 0 && isEnding(settlement);
}

/** The usual batch: what ends for good, is kept, and has nothing that follows. */
function isPlain(settlements: readonly Settlement[]): settlements is readonly (Settlement & EndedMessage)[] {
  return settlements.every((one) => isAlone(one) && (one.outcome.to !== "succeeded" || one.outcome.keep));
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
