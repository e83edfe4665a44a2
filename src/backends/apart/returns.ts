import { setTimeout as pause } from "node:timers/promises";
import type { Consumer, Receipt } from "../../contracts/broker.js";
import { StoreUnavailableError } from "../../errors.js";

/** A message in the hands of the broker's consumer. */
export interface Carried {
  readonly carrier: Consumer;
  readonly receipt: Receipt;
}

/** Out of the broker for good, or back into it after so many milliseconds. */
export type Return = { readonly as: "acknowledged" } | { readonly as: "released"; readonly delayMs: number };

interface Owed extends Carried {
  readonly how: Return;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/**
 * What is owed to the broker once the store has it: acknowledgements and releases, tried again while the broker is away.
 * Whoever dies with some of them loses nothing: the lease ends, the message comes again, and the store says that it has ended.
 */
export class Returns {
  #owed: Owed[] = [];
  #paying: Promise<void> | undefined;
  #ended = false;

  /** Resolves when everything owed so far is paid. */
  add(carried: readonly Carried[], how: Return): Promise<void> {
    for (const one of carried) this.#owed.push({ ...one, how });
    if (this.#owed.length > 0 && !this.#ended) this.#paying ??= this.#pay();
    return this.#paying ?? Promise.resolve();
  }

  /** No more tries. */
  end(): void {
    this.#ended = true;
  }

  async #pay(): Promise<void> {
    // What one turn of the loop returns goes in one call.
    await Promise.resolve();
    for (let pauseMs = firstPauseMs; this.#owed.length > 0 && !this.#ended;) {
      const left: Owed[] = [];
      for (const batch of batches(this.#owed.splice(0))) if (!(await isPaid(batch))) left.push(...batch);
      this.#owed.unshift(...left);
      if (left.length === 0) continue;
      await pause(pauseMs, undefined, { ref: false });
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    // In the same moment as the last look, so that nothing is added behind its back.
    this.#paying = undefined;
  }
}

/** Of one consumer, and with one call. */
function batches(owed: readonly Owed[]): Owed[][] {
  const found = new Map<Consumer, Map<string, Owed[]>>();
  for (const one of owed) {
    const own = found.get(one.carrier) ?? new Map<string, Owed[]>();
    found.set(one.carrier, own);
    const call = one.how.as === "acknowledged" ? one.how.as : String(one.how.delayMs);
    own.set(call, [...(own.get(call) ?? []), one]);
  }
  return [...found.values()].flatMap((own) => [...own.values()]);
}

async function isPaid(batch: readonly Owed[]): Promise<boolean> {
  const { carrier, how } = batch[0]!;
  const receipts = batch.map(({ receipt }) => receipt);
  try {
    if (how.as === "acknowledged") await carrier.acknowledge(receipts);
    else await carrier.release(receipts, { delayMs: how.delayMs });
    return true;
  } catch (error) {
    // Anything else will not get better: the broker's lease, and the store's answer, take care of the message.
    return !(error instanceof StoreUnavailableError);
  }
}
