import type { MemberOutcome } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { attachResults } from "../../core/attached-results.js";
import { advanceFlow, faultOf, placesOf } from "../../core/flow.js";
import { readHeader } from "../../core/task-header.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { memberFrom } from "../sql/member-text.js";
import { memberOutcome } from "../../core/member-end.js";
import { endFlow } from "./flow-end.js";
import { addOutcomes, flowById, knownPlaces, membersOfChain, outcomesBetween, saveMove } from "./flow-rows.js";
import type { FinalOutcome } from "./insert-ended.js";
import type { Session } from "./project-file.js";
import { submitUnsent } from "./submit-unsent.js";

/** The end of a task that is a member of a flow. */
export interface EndedMember {
  /** As its column has it. */
  readonly member: string;
  readonly outcome: FinalOutcome;
}

/** Tells flows how members have ended, in the transaction that stores it. */
export function tellFlows(session: Session, ended: readonly EndedMember[]): void {
  const byFlow = new Map<string, MemberOutcome[]>();
  for (const { member, outcome } of ended) {
    const { flow, place, run } = memberFrom(member);
    const list = byFlow.get(flow);
    if (list === undefined) byFlow.set(flow, [memberOutcome(place, run, outcome)]);
    else list.push(memberOutcome(place, run, outcome));
  }
  for (const [id, outcomes] of byFlow) {
    const flow = flowById(session, id);
    if (flow?.state === "open") tellFlow(session, flow, outcomes);
  }
}

function tellFlow(session: Session, flow: NumberedFlow, told: readonly MemberOutcome[]): void {
  const known = knownPlaces(
    session,
    flow.seq,
    told.map(({ place }) => place),
  );
  const fresh = told.filter(({ place, run }) => {
    const row = known.get(place);
    // What ended after its chain was resumed without it has been replaced.
    return row === undefined || (row.ended === 0 && row.run === run);
  });
  if (fresh.length === 0) return;
  addOutcomes(session, flow.seq, flow.kind === "batch" ? fresh.map((one) => ({ ...one, result: null })) : fresh);
  moveFlow(session, flow, fresh);
}

/** Applies the rules to an open flow, with outcomes that are kept already. */
export function moveFlow(session: Session, flow: NumberedFlow, fresh: readonly MemberOutcome[]): void {
  const { next, ...move } = advanceFlow(flow, fresh);
  saveMove(session, flow, move);
  const moved = { ...flow, ...move };
  if (next === "step") queueStep(session, moved);
  if (next === "end") {
    const error = faultOf(moved, firstFailure(session, moved));
    endFlow(session, moved, { state: error === null ? "succeeded" : "failed", error });
  }
}

/** Queues the members of the current step, or `which` of them, each with what `previous()` stands for in it. */
export function queueStep(session: Session, flow: NumberedFlow, which: (task: NewTask) => boolean = () => true): void {
  if (!flow.queued) return;
  const tasks = membersOfChain(session, flow.seq, ...placesOf(flow.steps, flow.step)).filter(which);
  const before = flow.step === 0 ? [] : outcomesBetween(session, flow.seq, ...placesOf(flow.steps, flow.step - 1));
  const ready = tasks.map((task) =>
    readHeader(task.envelope)?.before === undefined
      ? task
      : { ...task, envelope: attachResults(task.envelope, before) },
  );
  submitUnsent(session, ready);
}

function firstFailure(session: Session, { seq, failedAt }: NumberedFlow): MemberOutcome | undefined {
  return failedAt === null ? undefined : outcomesBetween(session, seq, failedAt, failedAt + 1)[0];
}
