import type { MemberOutcome, StoredFlow } from "../../contracts/flows.js";
import type { FinalState, NewTask, Outcome } from "../../contracts/store.js";
import { memberOutcome } from "../../core/member-end.js";

/** Chains that are remembered at most; stores answer with links of up to 8 kB only, so all of them stay below 10 MB. */
const mostChains = 1_000;

/** A chain while the only link of its step runs. */
interface Ahead<Flow> {
  readonly flow: Flow;
  /** Of the link that runs. */
  readonly member: NewTask["member"];
  /** The only link of the next step. */
  readonly task: NewTask;
}

/** What follows a link that has ended. */
export interface Foreseen<Flow> {
  readonly flow: Flow;
  readonly outcome: MemberOutcome;
  readonly task: NewTask;
}

/**
 * What follows in the chains whose links this process has queued: so that the end of a link and the next link are one write,
 * without a look before. It may be missing or out of date: the write itself checks where the chain stands.
 */
export class ChainsAhead<Flow extends Pick<StoredFlow, "id">> {
  readonly #chains = new Map<string, Ahead<Flow>>();

  /** @param flow - As it stands since `link` was queued. */
  remember(flow: Flow, { id, member }: NewTask, task: NewTask): void {
    const [oldest] = this.#chains.size >= mostChains ? this.#chains.keys() : [];
    if (oldest !== undefined) this.#chains.delete(oldest);
    this.#chains.set(id, { flow, member, task });
  }

  /** What follows the link with this id, once. */
  recall(id: string, outcome: Extract<Outcome, { to: FinalState }>): Foreseen<Flow> | undefined {
    const ahead = this.#chains.get(id);
    this.#chains.delete(id);
    const place = ahead?.member?.place ?? null;
    if (ahead === undefined || place === null) return undefined;
    const { flow, member, task } = ahead;
    return { flow, outcome: memberOutcome(place, member?.run ?? 0, outcome), task };
  }
}
