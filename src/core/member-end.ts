import type { MemberOutcome } from "../contracts/flows.js";
import type { FinalState, Outcome } from "../contracts/store.js";

/** The final outcome of a member, for its flow. */
export function memberOutcome(
  place: number,
  run: number,
  outcome: Extract<Outcome, { to: FinalState }>,
): MemberOutcome {
  const succeeded = outcome.to === "succeeded";
  return {
    place,
    run,
    state: outcome.to,
    result: succeeded ? outcome.result : null,
    error: succeeded ? null : outcome.error,
  };
}
