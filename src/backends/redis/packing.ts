import type { Membership } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { messageFlags, rankOf } from "./key-layout.js";

/**
 * The part of a message that never changes, besides its envelope: queue, func, name, group, kind, parent, priority, unique key;
 * of a member of a flow also which flow, place and run, as {@link memberText} has them.
 */
type Head = readonly [
  queue: string,
  func: string,
  name: string | null,
  group: string | null,
  kind: NewTask["kind"],
  parent: string | null,
  priority: number,
  uniqueKey: string | null,
  uniqueUntil: string | null,
  uniqueForMs: number | null,
  member?: string,
];

/** A message as the hash `m` keeps it. */
export interface Body {
  readonly member: string;
  readonly queuedAt: number;
  readonly dueAt: number;
  readonly expiresAt: number | null;
  readonly head: Head;
  readonly envelope: string;
}

/** What is not as it was when the message was new. Most messages never have it. */
export interface Changes {
  readonly deliveries: number;
  readonly attempts: number;
  readonly starts: number;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly stoppedAt: number | null;
  readonly worker: string | null;
}

const unchanged: Changes = {
  deliveries: 0,
  attempts: 0,
  starts: 0,
  dueAt: null,
  startedAt: null,
  stoppedAt: null,
  worker: null,
};

/** A new message, as the scripts take it: eight values. */
export function packMessage(task: NewTask): (string | number)[] {
  const { id, queue, func, name, group, kind, parent, priority, unique, delayMs, dueAt, expiresMs, envelope } = task;
  const head = [
    queue,
    func,
    name,
    group,
    kind,
    parent,
    priority,
    unique === null ? null : unique.key,
    unique === null ? null : unique.until,
    unique === null || unique.forMs === null ? null : Math.ceil(unique.forMs),
  ] as const;
  const whole: Head = task.member === undefined ? head : [...head, memberText(task.member)];
  // JSON has no raw line feed, so the first one ends the head.
  const rest = `${JSON.stringify(whole)}\n${envelope}`;
  return [id, queue, flagsOf(task), rankOf(priority), delayMs, dueAt ?? "", expiresMs ?? "", rest];
}

/** The scripts look for it at the end of the head. In a batch they know the place. */
function memberText({ flow, place, run }: Membership): string {
  return `${flow}.${place ?? ""}.${run}`;
}

function flagsOf({ kind, parent, unique, group, name, member }: NewTask): number {
  let flags = kind === "hook" ? messageFlags.hook : kind === "task" ? 0 : messageFlags.flow;
  if (unique !== null) {
    flags += unique.until === "started" ? messageFlags.uniqueTillStart : messageFlags.uniqueTillEnd;
  }
  if (group !== null) flags += messageFlags.inGroup;
  if (name !== null) flags += messageFlags.named;
  if (kind !== "hook" && parent !== null) flags += messageFlags.scheduled;
  if (member !== undefined) flags += messageFlags.member;
  return flags;
}

/** What stands before the head of a {@link Body}, and where that and the envelope begin. */
interface Place extends Omit<Body, "head" | "envelope"> {
  readonly headAt: number;
  readonly envelopeAt: number;
}

export function readPlace(text: string): Place {
  const first = text.indexOf(";");
  const second = text.indexOf(";", first + 1);
  const third = text.indexOf(";", second + 1);
  const fourth = text.indexOf(";", third + 1);
  return {
    member: text.slice(0, first),
    queuedAt: Number(text.slice(first + 1, second)),
    dueAt: Number(text.slice(second + 1, third)),
    expiresAt: numberOrNull(text.slice(third + 1, fourth)),
    headAt: fourth + 1,
    envelopeAt: text.indexOf("\n", fourth) + 1,
  };
}

export function readBody(text: string): Body {
  const { headAt, envelopeAt, ...place } = readPlace(text);
  const head = JSON.parse(text.slice(headAt, envelopeAt)) as Head;
  return { ...place, head, envelope: text.slice(envelopeAt) };
}

/** The queue, without a look at the rest of the head; one with quotes or backslashes in its name needs it all. */
export function queueOfHead(text: string, headAt: number, envelopeAt: number): string {
  const queue = text.slice(headAt + 2, text.indexOf('"', headAt + 2));
  return queue.includes("\\") ? (JSON.parse(text.slice(headAt, envelopeAt)) as Head)[0] : queue;
}

export function readChanges(text: string): Changes {
  if (text === "") return unchanged;
  const [deliveries, attempts, starts, dueAt = "", startedAt = "", stoppedAt = "", ...worker] = text.split(";");
  return {
    deliveries: Number(deliveries),
    attempts: Number(attempts),
    starts: Number(starts),
    dueAt: numberOrNull(dueAt),
    startedAt: numberOrNull(startedAt),
    stoppedAt: numberOrNull(stoppedAt),
    worker: worker.join(";") || null,
  };
}

function numberOrNull(text: string): number | null {
  return text === "" ? null : Number(text);
}
