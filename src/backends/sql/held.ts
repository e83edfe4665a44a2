/**
 * What each consumer of this process knows that it holds: more than that on the server was handed out by a reply that was
 * lost on the way.
 */
export class Held {
  readonly #members = new Map<string, Map<string, number>>();
  #turn = 0;

  open(consumer: string): void {
    this.#members.set(consumer, new Map());
  }

  close(consumer: string): void {
    this.#members.delete(consumer);
  }

  add(consumer: string, members: readonly string[]): void {
    const known = this.#members.get(consumer);
    const turn = ++this.#turn;
    for (const member of members) known?.set(member, turn);
  }

  /** Call it before something is let go of, for {@link Held.remove} afterwards. */
  turn(): number {
    return this.#turn;
  }

  /** Lets go of what was held at that turn. What was given back and taken again meanwhile stays. */
  remove(consumer: string, members: readonly (string | number)[], turn: number): void {
    const known = this.#members.get(consumer);
    for (const member of members.map(String)) if ((known?.get(member) ?? Infinity) <= turn) known?.delete(member);
  }

  of(consumer: string): readonly string[] {
    return [...(this.#members.get(consumer)?.keys() ?? [])];
  }

  count(consumer: string): number {
    return this.#members.get(consumer)?.size ?? 0;
  }
}
