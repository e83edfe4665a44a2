import type { MemberOutcome, StoredFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";

/** A flow in memory. */
export interface FlowState {
  flow: StoredFlow;
  /** Of a chain: its members by place, as they were sealed. */
  readonly tasks: Map<number, NewTask>;
  readonly outcomes: Map<number, MemberOutcome>;
  /** Of a batch: the ids that have joined. */
  readonly joined: Set<string>;
}

export function outcomesOf({ outcomes }: FlowState, from = 0, to: number = Infinity): MemberOutcome[] {
  return [...outcomes.values()].filter(({ place }) => place >= from && place < to).sort((a, b) => a.place - b.place);
}
