import type { Flows } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import { flowFrom } from "../sql/flow-row.js";
import { moveFlow, queueStep } from "./flow-advance.js";
import { addFlow, addMembers, flowById, flowRows, membersOfChain, readOutcomes } from "./flow-rows.js";
import type { ProjectFile, Session } from "./project-file.js";

/** Flows in the tables `qluster_flow` and `qluster_flow_member`. */
export function sqliteFlows(file: ProjectFile): Flows {
  return {
    async open(flow, members) {
      await file.write((session) => {
        if (!addFlow(session, flow)) return;
        const opened = flowById(session, flow.id);
        if (opened === undefined) return;
        addMembers(session, opened.seq, members, "task");
        if (flow.kind === "chain") queueStep(session, opened);
        else moveFlow(session, opened, []);
      });
      file.wakeUp.changed();
    },
    async close(id, size) {
      await file.write((session) => closeFlow(session, id, size));
      file.wakeUp.changed();
    },
    async resume(id, run, again, expiresMs) {
      const resumed = await file.write((session) => resumeChain(session, id, run, again, expiresMs));
      if (resumed) file.wakeUp.changed();
      return resumed;
    },
    find: (ids) => file.read((session) => flowRows(session, ids).map(flowFrom)),
    members: (id) => file.read((session) => membersOfChain(session, flowById(session, id)?.seq ?? 0)),
    outcomes: (id, from, maxBytes) =>
      file.read((session) => readOutcomes(session, flowById(session, id)?.seq ?? 0, from, maxBytes).outcomes),
  };
}

function closeFlow(session: Session, id: string, size: number): void {
  const flow = flowById(session, id);
  if (flow?.state !== "open" || flow.steps.length > 0) return;
  session.run("UPDATE qluster_flow SET steps = ? WHERE seq = ?", [JSON.stringify([size]), flow.seq]);
  moveFlow(session, { ...flow, steps: [size] }, []);
}

const clearOutcomes = `
  UPDATE qluster_flow_member SET state = NULL, result = NULL, error = NULL, run = ?2, task = ?4
  WHERE flow = ?1 AND place = ?3 AND (state IS NULL OR state <> 'succeeded')`;

const reopen = `
  UPDATE qluster_flow SET state = 'open', error = NULL, ended_at = NULL, run = ?2, expires_at = ?3,
    done = (SELECT count(state) FROM qluster_flow_member WHERE flow = ?1),
    failed = (SELECT count(*) FROM qluster_flow_member WHERE flow = ?1 AND state <> 'succeeded'),
    failed_at = (SELECT min(place) FROM qluster_flow_member WHERE flow = ?1 AND state <> 'succeeded')
  WHERE seq = ?1`;

function resumeChain(
  session: Session,
  id: string,
  run: number,
  again: readonly NewTask[],
  expiresMs: number | null,
): boolean {
  const { project, now } = session;
  const flow = flowById(session, id);
  const isOver = flow?.state === "failed" || flow?.state === "cancelled";
  if (flow === undefined || !isOver || flow.kind !== "chain" || run !== flow.run + 1 || again.length === 0)
    return false;
  for (const task of again) {
    session.run(clearOutcomes, [flow.seq, run, task.member?.place ?? 0, JSON.stringify(task)]);
  }
  session.run(reopen, [flow.seq, run, expiresMs === null ? null : Math.ceil(now + expiresMs)]);
  session.run("DELETE FROM qluster_task WHERE project = ? AND id = ?", [project, id]);
  const places = new Set(again.map(({ member }) => member?.place));
  queueStep(session, flow, ({ member }) => places.has(member?.place));
  return true;
}
