import type { MemberOutcome } from "../../contracts/flows.js";
import type { FinalState, NewTask, Outcome } from "../../contracts/store.js";
import { attachResults } from "../../core/attached-results.js";
import { flowAsTask } from "../../core/flow-as-task.js";
import { advanceFlow, faultOf, placesOf } from "../../core/flow.js";
import { flowHooks, type FlowEnd } from "../../core/flow-end.js";
import { memberOutcome } from "../../core/member-end.js";
import { readHeader } from "../../core/task-header.js";
import { outcomesOf, type FlowState } from "./flow-state.js";
import type { Message, ProjectState } from "./state.js";
import { submitUnsent } from "./submit-unsent.js";

/** Tells a flow how a member has ended. */
export function tellFlow(
  state: ProjectState,
  { member }: Pick<Message, "member">,
  outcome: Extract<Outcome, { to: FinalState }>,
  now: number,
): void {
  const held = member === undefined ? undefined : state.flows.get(member.flow);
  if (member === undefined || held?.flow.state !== "open") return;
  const place = member.place ?? 0;
  const runOf = held.tasks.get(place)?.member?.run ?? member.run;
  if (held.outcomes.has(place) || runOf !== member.run) return;
  const fresh = memberOutcome(place, member.run, outcome);
  held.outcomes.set(place, held.flow.kind === "batch" ? { ...fresh, result: null } : fresh);
  moveFlow(state, held, [fresh], now);
}

export function moveFlow(state: ProjectState, held: FlowState, fresh: readonly MemberOutcome[], now: number): void {
  const { next, ...move } = advanceFlow(held.flow, fresh);
  held.flow = { ...held.flow, ...move };
  if (next === "step") queueStep(state, held, now);
  if (next === "end") {
    const first = held.flow.failedAt === null ? undefined : held.outcomes.get(held.flow.failedAt);
    const error = faultOf(held.flow, first);
    endFlow(state, held, { state: error === null ? "succeeded" : "failed", error }, now);
  }
}

/** Queues the members of the current step that have no outcome. */
export function queueStep(state: ProjectState, held: FlowState, now: number): void {
  const { flow, tasks, outcomes } = held;
  if (!flow.queued) return;
  const [from, to] = placesOf(flow.steps, flow.step);
  const before = flow.step === 0 ? [] : outcomesOf(held, ...placesOf(flow.steps, flow.step - 1));
  for (let place = from; place < to; place++) {
    const task = tasks.get(place);
    if (task !== undefined && !outcomes.has(place)) submitUnsent(state, attached(task, before), now);
  }
}

function attached(task: NewTask, before: readonly MemberOutcome[]): NewTask {
  if (readHeader(task.envelope)?.before === undefined) return task;
  return { ...task, envelope: attachResults(task.envelope, before) };
}

export function endFlow(
  state: ProjectState,
  held: FlowState,
  end: Pick<FlowEnd, "state" | "error">,
  now: number,
): void {
  held.flow = { ...held.flow, ...end, endedAt: now };
  const { flow } = held;
  const record = { ...flowAsTask(flow), state: end.state, stoppedAt: now, error: end.error };
  if (!state.finished.has(flow.id)) state.finished.set(flow.id, record);
  state.bell.ring();
  if (!flow.queued) return;
  for (const hook of flowHooks(flow, { ...end, at: now, members: () => carried(held) })) submitUnsent(state, hook, now);
}

function carried(held: FlowState): readonly MemberOutcome[] | null {
  if (held.flow.kind === "batch") return [];
  const all = outcomesOf(held);
  const bytes = all.reduce((sum, { result }) => sum + Buffer.byteLength(result ?? ""), 0);
  return bytes > held.flow.carryBytes ? null : all;
}
