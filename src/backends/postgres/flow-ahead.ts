import type { NewTask } from "../../contracts/store.js";
import type { NumberedFlow } from "../sql/flow-row.js";

/** Chains that are remembered at most, and messages. */
const mostChains = 1_000;
const mostMembers = 100_000;

/** What is known of a chain while its only link of this step runs. */
export interface Ahead {
  readonly flow: NumberedFlow;
  /** Where that link stands. */
  readonly member: { readonly place: number; readonly run: number };
  /** The only link of the next step. */
  readonly task: NewTask;
}

/**
 * What this process remembers of flows, to spare a look: the messages that are members, and what follows in chains. All of
 * it may be missing or out of date, so whoever uses it has it checked by the write itself.
 */
export class FlowAhead {
  readonly #members = new Set<number>();
  readonly #chains = new Map<string, Ahead>();

  /** Notes that a message was taken. */
  taken(seq: number, envelope: string): void {
    if (!envelope.slice(0, envelope.indexOf("\n") + 1).includes('"member":true')) return;
    // Given back, most of them, and ended by others.
    if (this.#members.size >= mostMembers) this.#members.clear();
    this.#members.add(seq);
  }

  isMember(seq: number): boolean {
    return this.#members.has(seq);
  }

  /** Forgets a message that has ended. */
  ended(seq: number): void {
    this.#members.delete(seq);
  }

  /** @param id - Of the link that was queued just now. */
  remember(id: string, ahead: Ahead): void {
    const [oldest] = this.#chains.size >= mostChains ? this.#chains.keys() : [];
    if (oldest !== undefined) this.#chains.delete(oldest);
    this.#chains.set(id, ahead);
  }

  /** What follows a link, once. */
  recall(id: string): Ahead | undefined {
    const ahead = this.#chains.get(id);
    this.#chains.delete(id);
    return ahead;
  }
}
