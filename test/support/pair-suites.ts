import { describe, it } from "vitest";
import type { Backend } from "../../src/contracts/backend.js";
import type { BrokerCapabilities } from "../../src/contracts/broker.js";
import type { Clock } from "../../src/contracts/clock.js";
import {
  brokerSuite,
  cacheSuite,
  flowSuite,
  manualClock,
  scheduleSuite,
  storeSuite,
  type Where,
} from "../../src/testing/index.js";
import { openPair, type OpenPart } from "./apart.js";

/** A store and a broker elsewhere. `shared`: other processes see both. The envelope stays in the store, whose limit counts. */
export type NamedPair = readonly [name: string, store: OpenPart, broker: OpenPart, shared: boolean, maxMb?: number];

/** The promises of one technology for all roles, kept by two. */
export function pairSuites(pairs: readonly NamedPair[]): void {
  for (const [name, store, broker, shared, maxMb] of pairs) {
    const open: OpenRoles = (where, clock) => openPair({ store, broker }, where, clock);
    suitesOfAllRoles(name, open, shared, maxMb);
  }
}

type OpenRoles = (where: Where, clock: Clock) => Promise<Backend>;

/** Every suite, on what keeps all roles. */
export function suitesOfAllRoles(name: string, openRoles: OpenRoles, shared: boolean, maxMb: number = 256): void {
  describe(name, () => {
    const clock = manualClock();
    const open = (where: Where) => openRoles(where, clock);

    brokerSuite({ describe, it, clock, open, capabilities: brokerOf(shared, maxMb) });
    storeSuite({ describe, it, clock, open });
    scheduleSuite({ describe, it, clock, open });
    cacheSuite({ describe, it, clock, open });
    flowSuite({ describe, it, clock, open });
  });
}

/** What these brokers promise. */
export function brokerOf(shared: boolean, maxMb: number): BrokerCapabilities {
  return {
    copies: false,
    priority: true,
    maxDelayMs: Number.MAX_SAFE_INTEGER,
    maxBytes: maxMb * 1024 * 1024,
    list: true,
    push: true,
    shared,
  };
}
