import { dispatchLimits, mayTake } from "./dispatch.js";
import type { Expectations } from "./expectations.js";
import type { Reserve } from "./reserve.js";
import type { WorkerSlot } from "./worker-slot.js";

export interface DispatcherParts {
  readonly reserve: Reserve;
  readonly expectations: Expectations;
  readonly slots: () => Iterable<WorkerSlot>;
  readonly monotonic: () => number;
}

/** Hands what waits to the workers that may take it, and calls back what waits in the wrong place. */
export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  dispatch(): void {
    const { reserve, expectations, monotonic } = this.#parts;
    this.#dispatchSuspects();
    const now = monotonic();
    for (let entry = reserve.first(); entry !== undefined; entry = reserve.first()) {
      const expected = expectations.of(entry.header.func);
      const slot = this.#leastLoaded((candidate) => mayTake(candidate.load, expected));
      if (slot === undefined) break;
      reserve.shift();
      slot.hand(entry, expected, now);
    }
    for (const slot of this.#parts.slots()) slot.send();
  }

  /** Calls back what waits behind a long task, while somebody else could do it. */
  rebalance(): void {
    const now = this.#parts.monotonic();
    for (const slot of this.#parts.slots()) {
      slot.readMarks();
      slot.stalled = slot.running().some((held) => now - held.startedAt! > dispatchLimits.patienceMs);
      const unstarted = [...slot.held.values()].filter((held) => held.startedAt === null);
      const waiting = unstarted.filter((held) => now - held.handedAt > dispatchLimits.patienceMs).length;
      if (waiting > 0 && slot.held.size > slot.places) slot.channel.send({ t: "recall", count: waiting });
    }
  }

  #dispatchSuspects(): void {
    const { reserve, slots, monotonic } = this.#parts;
    for (let entry = reserve.firstSuspect(); entry !== undefined; entry = reserve.firstSuspect()) {
      const slot = [...slots()].find((each) => each.state === "ready" && each.held.size === 0);
      if (slot === undefined) break;
      reserve.shiftSuspect();
      slot.exclusive = true;
      slot.hand(entry, undefined, monotonic());
    }
    this.#keepFreeFor(reserve.suspects);
  }

  /** So many workers get nothing more, so that suspects find one; half of them at most, so that others go on. */
  #keepFreeFor(suspects: number): void {
    const all = [...this.#parts.slots()];
    const wanted = Math.min(suspects, Math.ceil(all.length / 2));
    const reserved = all.filter((slot) => slot.reserved);
    for (const slot of reserved.slice(wanted)) slot.reserved = false;
    for (let missing = wanted - reserved.length; missing > 0; missing -= 1) {
      const slot = this.#leastLoaded(() => true);
      if (slot !== undefined) slot.reserved = true;
    }
  }

  #leastLoaded(fits: (slot: WorkerSlot) => boolean): WorkerSlot | undefined {
    let best: WorkerSlot | undefined;
    for (const slot of this.#parts.slots()) {
      if (slot.open && (best === undefined || slot.held.size < best.held.size) && fits(slot)) best = slot;
    }
    return best;
  }
}
