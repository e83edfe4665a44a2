import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Clock } from "../../src/contracts/clock.js";
import type { Where } from "../../src/testing/index.js";

/** Opens one of the two technologies of a pair. */
export type OpenPart = (where: Where & Pick<BackendOptions, "outbox">, clock?: Clock) => Promise<Backend>;

/** A store and a broker of different technologies, or of two places of one. */
export interface Pair {
  readonly store: OpenPart;
  readonly broker: OpenPart;
}

/** As short as the leases of the suites, in milliseconds. */
const leaseMs = 1_000;

/** Opens a pair as one backend that looks into its outbox whenever it finds nothing. */
export async function openPair(pair: Pair, where: Where, clock?: Clock): Promise<Backend> {
  const broker = await pair.broker({ ...where, place: `${where.place}-broker` }, clock);
  const outbox = outboxFor(broker, leaseMs);
  const store = await pair.store({ ...where, place: `${where.place}-store`, outbox }, clock);
  return composeBackend({ store, broker, outbox, pace: { lookMs: 0, missingMs: 0, pollMs: 50 } });
}
