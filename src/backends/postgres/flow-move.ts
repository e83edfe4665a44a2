import type { MemberOutcome } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { attachResults } from "../../core/attached-results.js";
import { advanceFlow, placesOf } from "../../core/flow.js";
import { readHeader } from "../../core/task-header.js";
import type { NumberedFlow } from "../sql/flow-row.js";

/** A step that is queued when the outcomes before it are stored, if its flow stands then where it stood. */
export interface FlowMove {
  readonly from: NumberedFlow;
  readonly to: NumberedFlow;
  readonly tasks: readonly NewTask[];
}

/**
 * The next step, prepared from what was looked up before.
 *
 * @param fresh - Outcomes that count.
 * @param next - The tasks of the next step.
 * @returns `undefined`: the flow ends, waits on, or needs more than is at hand.
 */
export function prepareMove(
  flow: NumberedFlow,
  fresh: readonly MemberOutcome[],
  next: readonly NewTask[],
): FlowMove | undefined {
  const { next: what, ...move } = advanceFlow(flow, fresh);
  if (what !== "step") return undefined;
  const tasks = flow.queued ? next : [];
  const [since, until] = placesOf(flow.steps, flow.step);
  const before = fresh.filter(({ place }) => place >= since && place < until);
  // Of a step with several members, the others' results have to be read.
  if (before.length < until - since && tasks.some(asksBefore)) return undefined;
  const byPlace = [...before].sort((a, b) => a.place - b.place);
  const attached = tasks.map((task) =>
    asksBefore(task) ? { ...task, envelope: attachResults(task.envelope, byPlace) } : task,
  );
  return { from: flow, to: { ...flow, ...move }, tasks: attached };
}

/** Whether `previous()` stands for something in it. */
export function asksBefore({ envelope }: NewTask): boolean {
  return readHeader(envelope)?.before !== undefined;
}

/** The place of the only member of a step; `undefined`: there is no such step, or it has several. */
export function onlyPlace({ steps }: Pick<NumberedFlow, "steps">, step: number): number | undefined {
  return steps[step] === 1 ? placesOf(steps, step)[0] : undefined;
}
