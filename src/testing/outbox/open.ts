import assert from "node:assert/strict";
import type { Backend } from "../../contracts/backend.js";
import type { ConsumeOptions, Delivery } from "../../contracts/broker.js";
import type { Hold, Outbox, OutboxOptions, UnsentMessage } from "../../contracts/outbox.js";
import type { Settlement } from "../../contracts/store.js";
import { idOf } from "../messages.js";
import { newPlace, type Suite, type Where } from "../suite.js";
import { longLease } from "../waiting.js";

/** A suite that opens stores with an outbox. */
export interface OutboxSuite extends Omit<Suite, "open"> {
  /** As {@link Suite.open}; hands `where.outbox` on as `BackendOptions.outbox`. */
  readonly open: (where: Where & { readonly outbox?: OutboxOptions | undefined }) => Promise<Backend>;
}

/** Short enough to wait for, and far enough from each other to be told apart, in milliseconds. */
export const times: OutboxOptions = { aheadMs: 60_000, handMs: 600, resendMs: 2_400, missingMs: 1_200 };

/** A backend that surely has an outbox. */
export interface WithOutbox extends Backend {
  readonly outbox: Outbox;
}

/** An empty store with an outbox. */
export async function openOutbox(
  suite: OutboxSuite,
  options: Partial<OutboxOptions> = {},
  place: string = newPlace(),
): Promise<WithOutbox> {
  const backend = await suite.open({ place, project: "shop", migrate: true, outbox: { ...times, ...options } });
  assert.ok(backend.outbox !== undefined, "The backend was opened with an outbox, and has none.");
  // Not a copy: what is disposed of must be the backend itself.
  return backend as WithOutbox;
}

/** A hold on queue `q` that nobody takes over from, unless told otherwise. */
export function hold({ outbox }: WithOutbox, options: Partial<ConsumeOptions> = {}): Promise<Hold> {
  const cluster = { id: "cluster-1", host: "web-1", pid: 4711 };
  return outbox.hold({ queues: ["q"], leaseMs: longLease, cluster, ...options });
}

/** Begins one task, which must be let through. */
export async function beginOne(owner: Hold, name: string): Promise<Delivery> {
  const [begun] = await owner.begin([idOf(name)]);
  if (begun?.as !== "begun") throw new Error(`Expected "${name}" to begin, and the answer was ${begun?.as}.`);
  return begun.delivery;
}

/** The words of the answers for tasks, in their order. */
export async function answers(owner: Hold, ...names: readonly string[]): Promise<string[]> {
  return (await owner.begin(names.map(idOf))).map(({ as }) => as);
}

/** Which of `names` are to be sent now, in the order in which they are handed out. */
export async function unsent(owner: Hold, names: readonly string[]): Promise<string[]> {
  const { messages } = await owner.unsent(100);
  return namesOf(messages, names);
}

export function namesOf(messages: readonly UnsentMessage[], names: readonly string[]): string[] {
  const byId = new Map(names.map((name) => [idOf(name), name]));
  return messages.map(({ id }) => byId.get(id) ?? id);
}

/** Ends a delivery, which must still be ours. */
export async function finish(backend: Backend, owner: Hold, end: Settlement): Promise<void> {
  assert.deepEqual(await backend.store.finish(owner.id, [end]), [true]);
}
