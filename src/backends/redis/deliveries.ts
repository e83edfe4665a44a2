import type { Delivery } from "../../contracts/broker.js";
import { idOfMember } from "./key-layout.js";
import { queueOfHead, readChanges, readPlace } from "./packing.js";

/** What `take.lua` answers. Few messages have changes: those have their number and these. */
export type TakeReply = readonly [
  now: number,
  held: number,
  moreInMs: number,
  changes: readonly (number | string)[],
  ...bodies: string[],
];

export function readDeliveries([now, , , changed, ...bodies]: TakeReply): Delivery[] {
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
