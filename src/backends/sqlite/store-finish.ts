import type { Settlement } from "../../contracts/store.js";
import type { Ended } from "../sql/rollup.js";
import { tellFlows, type EndedMember } from "./flow-advance.js";
import { insertEnded, type EndedMessage } from "./insert-ended.js";
import type { ProjectFile, Session } from "./project-file.js";
import { putBack } from "./put-back.js";
import { consumerNumber, heldMessage } from "../sql/receipt.js";
import { removeUnkept, type RemovedMessage } from "./remove-unkept.js";
import { rollUp, rollUpStored } from "./rollup.js";
import { submitInside } from "./store-submit.js";

/** Ends deliveries, all in one transaction, each only if the consumer still holds it. */
export async function finishDeliveries(
  file: ProjectFile,
  consumer: string,
  settlements: readonly Settlement[],
): Promise<boolean[]> {
  if (settlements.length === 0) return [];
  const answers = await file.write((session) => finishInside(session, consumerNumber(consumer), settlements));
  file.wakeUp.changed();
  return answers;
}

function finishInside(session: Session, consumer: number, settlements: readonly Settlement[]): boolean[] {
  const stored = storeEnded(session, consumer, settlements.flatMap(keptEnding));
  const removed = removeUnkept(session, consumer, settlements.filter(isUnkept));
  const unstored: Unstored[] = [];
  const answers = settlements.map((settlement) => {
    if (isUnkept(settlement)) return noteRemoved(settlement, removed.get(settlement.id), unstored);
    return stored.ids.has(settlement.id) || settleAlone(session, consumer, settlement, unstored);
  });
  rollUp(session, unstored);
  const followUps = settlements.flatMap((settlement, index) => (answers[index] === true ? settlement.followUps : []));
  if (followUps.length > 0) submitInside(session, followUps);
  const ended = [...stored.members, ...unstored.flatMap(({ ended: member }) => member ?? [])];
  if (ended.length > 0) tellFlows(session, ended);
  return answers;
}

/** A final outcome without a record of its own. */
interface Unstored extends Ended {
  readonly ended: EndedMember | undefined;
}

interface Stored {
  readonly ids: ReadonlySet<string>;
  readonly members: readonly EndedMember[];
}

/** A success that leaves no record. */
function isUnkept({ outcome }: Settlement): boolean {
  return outcome.to === "succeeded" && !outcome.keep;
}

/** The settlement as a message to store, or nothing when it is none. */
function keptEnding(settlement: Settlement): EndedMessage[] {
  const { receipt, id, attempt, outcome } = settlement;
  if (outcome.to === "retrying" || outcome.to === "queued" || isUnkept(settlement)) return [];
  return [{ seq: heldMessage(receipt).seq, id, attempt, outcome }];
}

/** Moves messages to the finished tasks, all at once. Resolves to the ids of those that were still ours. */
function storeEnded(session: Session, consumer: number, messages: readonly EndedMessage[]): Stored {
  if (messages.length === 0) return { ids: new Set(), members: [] };
  const last = lastTask(session);
  const count = insertEnded(session, consumer, messages);
  const stored = count === messages.length ? messages : storedSince(session, last, messages);
  session.run("DELETE FROM qluster_message WHERE seq IN (SELECT value FROM json_each(?))", [
    JSON.stringify(stored.map(({ seq }) => seq)),
  ]);
  rollUpStored(session, last);
  return { ids: new Set(stored.map(({ id }) => id)), members: membersSince(session, last, stored) };
}

function membersSince(session: Session, last: number, stored: readonly EndedMessage[]): EndedMember[] {
  const rows = session.all<{ id: string; member: string }>(
    "SELECT id, member FROM qluster_task NOT INDEXED WHERE seq > ? AND member IS NOT NULL",
    [last],
  );
  if (rows.length === 0) return [];
  const outcomes = new Map(stored.map(({ id, outcome }) => [id, outcome]));
  return rows.flatMap(({ id, member }) => {
    const outcome = outcomes.get(id);
    return outcome === undefined ? [] : [{ member, outcome }];
  });
}

function lastTask(session: Session): number {
  return session.first<{ seq: number | null }>("SELECT max(seq) AS seq FROM qluster_task", [])?.seq ?? 0;
}

function storedSince(session: Session, last: number, messages: readonly EndedMessage[]): EndedMessage[] {
  const rows = session.all<{ id: string }>("SELECT id FROM qluster_task WHERE seq > ?", [last]);
  const ids = new Set(rows.map(({ id }) => id));
  return messages.filter(({ id }) => ids.has(id));
}

/** What is put back, is not ours any more, or has an older ending, which stays. */
function settleAlone(session: Session, consumer: number, settlement: Settlement, unstored: Unstored[]): boolean {
  const { attempt, outcome, id } = settlement;
  const message = { seq: heldMessage(settlement.receipt).seq, id };
  if (outcome.to === "retrying" || outcome.to === "queued") {
    return putBack(session, consumer, message, attempt, outcome);
  }
  const row = session.first<RemovedMessage>(
    "DELETE FROM qluster_message WHERE seq = ? AND id = ? AND owner = ? RETURNING id, queue, kind, member, parent",
    [message.seq, id, consumer],
  );
  return noteRemoved(settlement, row, unstored);
}

/** @param row - The message, if it was still ours. */
function noteRemoved({ attempt, outcome }: Settlement, row: RemovedMessage | undefined, unstored: Unstored[]): boolean {
  if (row === undefined || outcome.to === "retrying" || outcome.to === "queued") return false;
  const ranMs = attempt === null ? 0 : attempt.stoppedAt - attempt.startedAt;
  const { queue, kind, member } = row;
  const ended = member === null ? undefined : { member, outcome };
  unstored.push({ queue, kind, state: outcome.to, ranMs, ended });
  return true;
}
