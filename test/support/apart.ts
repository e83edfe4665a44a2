import { composeBackend, outboxFor } from "../../src/backends/apart/index.js";
import type { Backend, BackendOptions } from "../../src/contracts/backend.js";
import type { Clock } from "../../src/contracts/clock.js";

/** Opens one of the two technologies of a pair. */
export type OpenPart = (options: BackendOptions, clock?: Clock) => Promise<Backend>;

/** A store and a broker of different technologies, or of two places of one. */
export interface Pair {
  readonly store: OpenPart;
  readonly broker: OpenPart;
}

export type PairOptions = Omit<BackendOptions, "location" | "outbox"> & {
  readonly storeAt: string;
  readonly brokerAt: string;
  /** Default: as short as the leases of the suites. */
  readonly leaseMs?: number;
};

/** Opens a pair as one backend that looks into its outbox whenever it finds nothing. */
export async function openPair(pair: Pair, given: PairOptions, clock?: Clock): Promise<Backend> {
  const { storeAt, brokerAt, leaseMs = 1_000, ...options } = given;
  const broker = await pair.broker({ ...options, location: brokerAt }, clock);
  const outbox = outboxFor(broker, leaseMs);
  const store = await pair.store({ ...options, location: storeAt, outbox }, clock);
  return composeBackend({ store, broker, outbox, pace: { lookMs: 0, missingMs: 0, pollMs: 50 } });
}
