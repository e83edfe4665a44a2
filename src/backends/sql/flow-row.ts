import type { FlowKind, MemberOutcome, NewFlow, StoredFlow } from "../../contracts/flows.js";
import type { FinalState, StoredTask } from "../../contracts/store.js";
import { flowAsTask as openFlowAsTask } from "../../core/flow-as-task.js";
import { errorFrom } from "./error-text.js";

/** A row of `qluster_flow`. */
export interface FlowRow {
  readonly seq: number;
  readonly id: string;
  readonly kind: FlowKind;
  readonly state: StoredFlow["state"];
  readonly queue: string;
  readonly func: string;
  readonly name: string | null;
  readonly grp: string | null;
  readonly envelope: string;
  readonly steps: string;
  readonly stops: number | boolean;
  readonly queued: number | boolean;
  readonly carry_bytes: number;
  readonly step: number;
  readonly done: number;
  readonly failed: number;
  readonly failed_at: number | null;
  readonly error: string | null;
  readonly run: number;
  readonly joined: number;
  readonly opened_at: number;
  readonly expires_at: number | null;
  readonly ended_at: number | null;
}

/** A flow with its number, under which its members are. */
export interface NumberedFlow extends StoredFlow {
  readonly seq: number;
  readonly joined: number;
}

export function flowFrom(row: FlowRow): NumberedFlow {
  const { seq, id, kind, state, queue, func, name, envelope, step, done, failed, run, joined } = row;
  return {
    seq,
    id,
    kind,
    state,
    queue,
    func,
    name,
    group: row.grp,
    envelope,
    steps: JSON.parse(row.steps) as number[],
    stops: Boolean(row.stops),
    queued: Boolean(row.queued),
    carryBytes: row.carry_bytes,
    step,
    done,
    failed,
    failedAt: row.failed_at,
    error: errorFrom(row.error),
    run,
    joined,
    openedAt: row.opened_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
  };
}

/** A flow that was opened just now, before anything of it has ended. */
export function openedFlow({ expiresMs: _life, ...flow }: NewFlow, now: number): StoredFlow {
  const counts = { step: 0, done: 0, failed: 0, failedAt: null, error: null, run: 0 };
  return { ...flow, ...counts, state: "open", openedAt: now, expiresAt: null, endedAt: null };
}

/** An open flow as a task that runs. */
export function flowAsTask(row: FlowRow): StoredTask {
  return openFlowAsTask(flowFrom(row));
}

/** A row of `qluster_flow_member` with an outcome. */
export interface OutcomeRow {
  readonly place: number;
  readonly run: number;
  readonly state: FinalState;
  readonly result: string | null;
  readonly error: string | null;
}

export function outcomeFrom({ place, run, state, result, error }: OutcomeRow): MemberOutcome {
  return { place, run, state, result, error: errorFrom(error) };
}
