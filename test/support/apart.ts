import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Clock } from "../../src/contracts/clock.js";
import type { Where } from "../../src/testing/index.js";

/** Opens one of the technologies of a backend that has several, or one place in it. */
export type OpenPart = (where: Where & Pick<BackendOptions, "outbox" | "slotOf">, clock?: Clock) => Promise<Backend>;

/** A store and a broker of different technologies, or of two places of one. */
export interface Pair {
  readonly store: OpenPart;
  readonly broker: OpenPart;
}

/** As short as the leases of the suites, in milliseconds. */
const leaseMs = 1_000;

/** Looks whenever there is nothing. */
const pace = { lookMs: 0, missingMs: 0, pollMs: 50 };

/** Opens a pair as one backend. */
export async function openPair(pair: Pair, where: Where, clock?: Clock): Promise<Backend> {
  const broker = await pair.broker({ ...where, place: `${where.place}-broker` }, clock);
  const outbox = outboxFor(broker, leaseMs);
  const store = await pair.store({ ...where, place: `${where.place}-store`, outbox }, clock);
  return composeBackend({ store, broker, outbox, pace });
}

/** Opens a store some of whose queues have a place of their own in it. */
export async function openWithSlots(
  open: OpenPart,
  queues: readonly string[],
  where: Where,
  clock?: Clock,
): Promise<Backend> {
  const apart = new Map<string, Backend>();
  for (const slotOf of queues) apart.set(slotOf, await open({ ...where, slotOf }, clock));
  const outbox = outboxFor([...apart.values()][0]!, leaseMs, queues);
  return composeBackend({ store: await open({ ...where, outbox }, clock), apart, outbox, pace });
}
