import type { Delivery, Receipt } from "../../contracts/broker.js";
import type { Carried } from "./returns.js";

interface Held {
  readonly id: string;
  readonly receipt: Receipt;
  /** The message, and copies of it that came later. */
  readonly carried: Carried[];
}

/** What a consumer holds: the store's receipt of each task, and the broker's receipts of its messages. */
export class Hand {
  readonly #byId = new Map<string, Held>();
  readonly #byReceipt = new Map<Receipt, Held>();

  hold({ id, receipt }: Delivery, carried: Carried): void {
    const held = { id, receipt, carried: [carried] };
    this.#byId.set(id, held);
    this.#byReceipt.set(receipt, held);
  }

  /** Keeps a further message of a task that is held already, until that ends. `false`: the task is not held. */
  joins(id: string, carried: Carried): boolean {
    const held = this.#byId.get(id);
    held?.carried.push(carried);
    return held !== undefined;
  }

  /** Forgets a task. Resolves to its messages, which the broker is to be told of. */
  letGo(receipt: Receipt): readonly Carried[] {
    const held = this.#byReceipt.get(receipt);
    if (held === undefined) return [];
    this.#byReceipt.delete(receipt);
    this.#byId.delete(held.id);
    return held.carried;
  }
}
