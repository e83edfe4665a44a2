import type { NewTask } from "../../contracts/store.js";
import { fullBatch, notOpen } from "../../core/flow-refusals.js";
import type { NumberedFlow } from "../sql/flow-row.js";
import { addMembers, flowById, knownPlaces } from "./flow-rows.js";
import type { Session } from "./project-file.js";

/**
 * The tasks that may be queued: all but members whose end their flow has already, each with its place.
 *
 * @throws {FlowError} when a flow has ended or is full.
 */
export function admitMembers(session: Session, tasks: readonly NewTask[]): readonly NewTask[] {
  if (tasks.every(({ member }) => member === undefined)) return tasks;
  const flows = new Map<string, NewTask[]>();
  for (const task of tasks) {
    if (task.member === undefined) continue;
    const members = flows.get(task.member.flow);
    if (members === undefined) flows.set(task.member.flow, [task]);
    else members.push(task);
  }
  const admitted = new Map<string, NewTask>();
  for (const [id, members] of flows) {
    for (const task of admitTo(session, flowById(session, id), id, members)) admitted.set(task.id, task);
  }
  return tasks.flatMap((task) => (task.member === undefined ? task : (admitted.get(task.id) ?? [])));
}

function admitTo(
  session: Session,
  flow: NumberedFlow | undefined,
  id: string,
  members: readonly NewTask[],
): readonly NewTask[] {
  if (flow === undefined) throw notOpen(id, undefined);
  const fresh = flow.kind === "batch" ? notJoined(session, flow, members) : withoutOutcome(session, flow, members);
  if (fresh.length === 0) return fresh;
  if (flow.state !== "open") throw notOpen(id, flow);
  return flow.kind === "batch" ? join(session, flow, fresh) : fresh;
}

function withoutOutcome(session: Session, flow: NumberedFlow, members: readonly NewTask[]): readonly NewTask[] {
  const known = knownPlaces(
    session,
    flow.seq,
    members.map(({ member }) => member?.place ?? 0),
  );
  return members.filter(({ member }) => known.get(member?.place ?? 0)?.ended !== 1);
}

function notJoined(session: Session, flow: NumberedFlow, members: readonly NewTask[]): readonly NewTask[] {
  const rows = session.all<{ id: string }>(
    "SELECT id FROM qluster_flow_member WHERE flow = ? AND id IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
    [flow.seq, JSON.stringify(members.map(({ id }) => id))],
  );
  const known = new Set(rows.map(({ id }) => id));
  return members.filter(({ id }) => !known.has(id) && known.add(id));
}

function join(session: Session, flow: NumberedFlow, members: readonly NewTask[]): readonly NewTask[] {
  const size = flow.steps[0] ?? 0;
  if (flow.joined + members.length > size) throw fullBatch(flow, members.length);
  const placed = members.map((task, index) => ({
    ...task,
    member: { flow: flow.id, place: flow.joined + index, run: 0 },
  }));
  addMembers(session, flow.seq, placed, "id");
  session.run("UPDATE qluster_flow SET joined = joined + ? WHERE seq = ?", [placed.length, flow.seq]);
  return placed;
}
