import type { NewTask } from "../../contracts/store.js";
import { fullBatch, notOpen } from "../../core/flow-refusals.js";
import type { ProjectState } from "./state.js";

/** The tasks that may be queued: all but members whose end their flow has already, each with its place. All, or none. */
export function admitMembers(state: ProjectState, tasks: readonly NewTask[]): (NewTask | undefined)[] {
  const joining = new Map<string, string[]>();
  const admitted = tasks.map((task) => (task.member === undefined ? task : admit(state, task, joining)));
  for (const [flow, ids] of joining) for (const id of ids) state.flows.get(flow)?.joined.add(id);
  return admitted;
}

function admit(state: ProjectState, task: NewTask, joining: Map<string, string[]>): NewTask | undefined {
  const { flow: id = "", place = null } = task.member ?? {};
  const held = state.flows.get(id);
  if (held === undefined) throw notOpen(id, undefined);
  const { flow, joined, outcomes } = held;
  const isBatch = flow.kind === "batch";
  const now = joining.get(id) ?? [];
  const isKnown = isBatch ? joined.has(task.id) || now.includes(task.id) : outcomes.has(place ?? 0);
  if (isKnown) return undefined;
  if (flow.state !== "open") throw notOpen(id, flow);
  if (!isBatch) return task;
  const taken = joined.size + now.length;
  if (taken >= (flow.steps[0] ?? 0)) throw fullBatch({ ...flow, joined: joined.size }, now.length + 1);
  joining.set(id, [...now, task.id]);
  return { ...task, member: { flow: id, place: taken, run: 0 } };
}
