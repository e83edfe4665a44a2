import type { StoredNote } from "../contracts/frames.js";
import type { MemberOutcome, StoredFlow } from "../contracts/flows.js";
import type { ErrorRecord, NewTask } from "../contracts/store.js";
import { composeHook } from "./hook-message.js";
import { deriveId } from "./ids.js";
import { readHeader, type TaskHeader } from "./task-header.js";

/** How a flow has ended. */
export interface FlowEnd {
  readonly state: "succeeded" | "failed" | "cancelled";
  readonly error: ErrorRecord | null;
  readonly at: number;
  /** By place; `null`: more bytes of results than the flow may carry. Called only when somebody is to be told. */
  readonly members: () => readonly MemberOutcome[] | null;
}

/**
 * The tasks that are called at the end of a flow, as its sealed header names them. Their ids are derived from the flow's and
 * its run, so that an end that is written twice calls nobody twice.
 */
export function flowHooks(flow: StoredFlow, end: FlowEnd): NewTask[] {
  const header = readHeader(flow.envelope);
  const hooks = header === undefined ? [] : hooksOf(header, end.state === "succeeded");
  if (header === undefined || hooks.length === 0) return [];
  const note = noteOfFlow(flow, end);
  return hooks.map(([part, func]) => {
    const id = deriveId(flow.id, flow.run === 0 ? part : `${part}.${flow.run}`);
    return {
      id,
      queue: flow.queue,
      envelope: composeHook(id, { outcome: note }, header, func),
      func,
      name: null,
      group: null,
      kind: "hook",
      parent: flow.id,
      priority: header.priority ?? 0,
      delayMs: 0,
      dueAt: null,
      expiresMs: null,
      unique: null,
    };
  });
}

/** Whether somebody is called with the results of a flow that ends so: else nobody need read them. */
export function carriesResults({ envelope }: Pick<StoredFlow, "envelope">, state: FlowEnd["state"]): boolean {
  const header = readHeader(envelope);
  return state === "succeeded" && header !== undefined && hooksOf(header, true).length > 0;
}

/** The schedule that opened a flow; `null`: none did. The record of the flow has it as its `parent`. */
export function parentOfFlow({ envelope }: Pick<StoredFlow, "envelope">): string | null {
  return readHeader(envelope)?.parent ?? null;
}

/** The end of a flow as hooks see it. */
function noteOfFlow(flow: StoredFlow, { state, error, at, members }: FlowEnd): StoredNote {
  const { id, queue, envelope, openedAt } = flow;
  const times = { queuedAt: openedAt, startedAt: openedAt, stoppedAt: at };
  const success = state === "succeeded";
  return { id, queue, envelope, attempt: 0, ...times, success, result: null, error, members: success ? members() : [] };
}

function hooksOf({ hook, flow }: TaskHeader, success: boolean): [part: string, func: string][] {
  const hooks: [part: string, func: string][] = hook === undefined ? [] : [["hook", hook]];
  const other = success ? flow?.onSuccess : flow?.onFailure;
  if (other !== undefined) hooks.push([success ? "success" : "failure", other]);
  return hooks;
}
