/** Messages that are remembered at most. */
const most = 100_000;

/**
 * Which of the messages that this process has taken are members of flows, by what their headers say. A hint, so that their ends
 * go the right way at once.
 */
export class TakenMembers {
  readonly #seqs = new Set<number>();

  /** Notes that a message was taken. */
  add(seq: number, envelope: string): void {
    if (!envelope.slice(0, envelope.indexOf("\n") + 1).includes('"member":true')) return;
    // Most of them were given back, and ended elsewhere.
    if (this.#seqs.size >= most) this.#seqs.clear();
    this.#seqs.add(seq);
  }

  has(seq: number): boolean {
    return this.#seqs.has(seq);
  }

  remove(seq: number): void {
    this.#seqs.delete(seq);
  }
}
