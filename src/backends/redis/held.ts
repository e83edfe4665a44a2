/** What each consumer of this process knows that it holds: more than the server has handed out to it was lost on the way. */
export class Held {
  readonly #members = new Map<string, Set<string>>();

  open(consumer: string): void {
    this.#members.set(consumer, new Set());
  }

  close(consumer: string): void {
    this.#members.delete(consumer);
  }

  add(consumer: string, members: readonly string[]): void {
    const known = this.#members.get(consumer);
    for (const member of members) known?.add(member);
  }

  remove(consumer: string, members: readonly (string | number)[]): void {
    const known = this.#members.get(consumer);
    for (const member of members) known?.delete(String(member));
  }

  of(consumer: string): ReadonlySet<string> {
    return this.#members.get(consumer) ?? new Set();
  }
}
