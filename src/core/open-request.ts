import { EnvelopeError } from "../errors.js";
import { openTask, type OpenedTask } from "./envelope.js";
import type { Keyring } from "./keyring.js";
import { readSlotBody, slotTaskId } from "./schedule/slot-message.js";
import { readHeader, type TaskHeader } from "./task-header.js";

/** The largest JSON that inflating may make, in bytes: of arguments, and of the result of a link before. */
interface OpenOptions {
  readonly maxBytes: number;
  readonly maxResultBytes?: number;
}

/** Where a message was found. */
export interface Found {
  readonly id: string;
  readonly queue: string;
  readonly envelope: string;
}

/**
 * Header and arguments of a task's message, once its signature was checked: of a request as its producer has sealed it,
 * or of a schedule's slot, whose sealed target is opened here and completed by the facts of the slot.
 *
 * @param header - Where the caller has read it already.
 * @throws {EnvelopeError} also when the message is a copy under another id.
 */
export function openRequest(
  keys: Keyring,
  found: Found,
  options: OpenOptions,
  header: TaskHeader | undefined = readHeader(found.envelope),
): OpenedTask {
  if (header?.kind === "slot") return openSlot(keys, found, options);
  const opened = openTask(keys, found.queue, found.envelope, options, header);
  const { kind, flow } = opened.header;
  if (kind !== undefined || flow !== undefined) throw notByItself(found.id, kind ?? "record of a flow");
  assertOwn(opened.header.id, found.id);
  return opened;
}

/** The same of what a hook is told of: a task, or the record of a flow, which is no request. */
export function openParent(keys: Keyring, found: Found, options: OpenOptions): OpenedTask {
  const header = readHeader(found.envelope);
  if (header?.kind === "slot") {
    const opened = openSlot(keys, found, options);
    // A flow that could not be opened: what was planned are no arguments of anybody.
    return opened.header.flow === undefined ? opened : { ...opened, args: [] };
  }
  if (header?.flow === undefined) return openRequest(keys, found, options, header);
  const opened = openTask(keys, found.queue, found.envelope, options, header);
  assertOwn(opened.header.id, found.id);
  return opened;
}

function openSlot(keys: Keyring, { id, queue, envelope }: Found, options: OpenOptions): OpenedTask {
  const body = readSlotBody(envelope);
  const { header, args } = openTask(keys, queue, body.envelope, options);
  if (header.kind !== "schedule") throw notByItself(id, header.kind ?? "task");
  assertOwn(header.id, body.schedule);
  assertOwn(slotTaskId(body), id);
  const facts = { id, kind: "slot", parent: body.schedule, due: body.slot } as const;
  // What it opens has the slot in its members.
  if (header.flow !== undefined) return { header: { ...header, ...facts }, args };
  const { intended, ...sealed } = header;
  const ready: TaskHeader = { ...sealed, ...facts };
  return { header: ready, args: intended === undefined ? args : withIntended(args, intended, body.slot) };
}

/** The slot under the name that was asked for, in the last argument. */
function withIntended(args: readonly unknown[], name: string, slot: number): unknown[] {
  const last = args.at(-1) as Readonly<Record<string, unknown>> | undefined;
  return [...args.slice(0, -1), { ...last, [name]: new Date(slot).toISOString() }];
}

/** A signature holds for a copy too; the id inside tells it from the message that was signed. */
function assertOwn(sealedId: string, id: string): void {
  if (sealedId === id) return;
  throw new EnvelopeError(
    "unreadable",
    `Message ${id} carries the envelope of task ${sealedId}, so it is a copy. To run a task again, enqueue it again.`,
  );
}

function notByItself(id: string, kind: string): EnvelopeError {
  return new EnvelopeError("unreadable", `Message ${id} carries what was sealed as a ${kind}, which cannot run here.`);
}
