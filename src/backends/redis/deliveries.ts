import type { Delivery } from "../../contracts/broker.js";
import { idOfMember } from "./key-layout.js";
import { queueOfHead, readChanges, readPlace } from "./packing.js";
import { unpacked } from "./unpacked.js";

/**
 * What `take.lua` answers: some bodies in each piece, with their lengths in bytes, as clients spend more time on many values
 * than on many characters. Few messages have changes: those have their number and these.
 */
export type TakeReply = readonly [
  now: number,
  held: number,
  moreInMs: number,
  lengths: string,
  changes: readonly (number | string)[],
  ...pieces: string[],
];

export function readDeliveries([now, , , lengths, changed, ...pieces]: TakeReply): Delivery[] {
  const bodies = unpacked(pieces.join(""), lengths);
  if (changed.length === 0) return bodies.map((body) => deliveryOf(body, "", now));
  const changes = new Map<number, string>();
  for (let at = 0; at < changed.length; at += 2) changes.set(Number(changed[at]), String(changed[at + 1]));
  return bodies.map((body, index) => deliveryOf(body, changes.get(index) ?? "", now));
}

/** @param changes - As they were when it was handed out. */
export function deliveryOf(body: string, changes: string, now: number): Delivery {
  const { member, queuedAt, dueAt, expiresAt, headAt, envelopeAt } = readPlace(body);
  const changed = readChanges(changes);
  return {
    receipt: member,
    id: idOfMember(member),
    queue: queueOfHead(body, headAt, envelopeAt),
    envelope: body.slice(envelopeAt),
    deliveries: changed.deliveries + 1,
    attempts: changed.attempts,
    starts: changed.starts,
    queuedAt,
    dueAt: changed.dueAt ?? dueAt,
    expired: expiresAt !== null && expiresAt <= now,
  };
}
