import type { Entry } from "./entry.js";

/** What waits in the cluster's memory, in the order in which it is to start; suspects apart, as they need a worker alone. */
export class Reserve {
  #entries: Entry[] = [];
  #from = 0;
  #suspects: Entry[] = [];

  get size(): number {
    return this.#entries.length - this.#from + this.#suspects.length;
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) (entry.alone ? this.#suspects : this.#entries).push(entry);
  }

  /** Back in front: it was handed out before those that wait now. */
  putBack(entries: readonly Entry[]): void {
    const plain = entries.filter((entry) => !entry.alone);
    this.#entries = [...plain, ...this.#entries.slice(this.#from)];
    this.#from = 0;
    this.#suspects.unshift(...entries.filter((entry) => entry.alone));
  }

  first(): Entry | undefined {
    return this.#entries[this.#from];
  }

  shift(): void {
    this.#from += 1;
    if (this.#from < 1_024 && this.#from < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#from);
    this.#from = 0;
  }

  firstSuspect(): Entry | undefined {
    return this.#suspects[0];
  }

  shiftSuspect(): void {
    this.#suspects.shift();
  }

  /** Takes one out by its task's id. */
  remove(id: string): Entry | undefined {
    const entry = this.all().find((candidate) => candidate.delivery.id === id);
    if (entry === undefined) return undefined;
    const others = this.all().filter((candidate) => candidate !== entry);
    this.clear();
    this.add(others);
    return entry;
  }

  get suspects(): number {
    return this.#suspects.length;
  }

  /** Since when the first in line waits, in monotonic milliseconds. Suspects do not count: they wait for a worker alone. */
  oldest(): number | undefined {
    return this.first()?.waitingSince;
  }

  all(): Entry[] {
    return [...this.#entries.slice(this.#from), ...this.#suspects];
  }

  clear(): Entry[] {
    const all = this.all();
    this.#entries = [];
    this.#from = 0;
    this.#suspects = [];
    return all;
  }
}
