import type { StoredTask, TaskKind, TaskState } from "../../contracts/store.js";
import { errorFrom } from "./error-text.js";

/** What the rows of waiting and of finished tasks have in common. */
interface CommonRow {
  readonly id: string;
  readonly queue: string;
  readonly func: string;
  readonly name: string | null;
  readonly grp: string | null;
  readonly kind: TaskKind;
  readonly parent: string | null;
  readonly envelope: string;
  readonly attempts: number;
  readonly queued_at: number;
  readonly due_at: number;
  readonly started_at: number | null;
  readonly stopped_at: number | null;
  readonly worker: string | null;
}

/** A row of `qluster_message`: an unfinished task. */
export interface MessageRow extends CommonRow {
  readonly rank: number;
  /** `null`: free. 0: waits for its time. Above: the consumer that holds it. */
  readonly owner: number | null;
  readonly expires_at: number | null;
}

/** A row of `qluster_task`: a finished task. */
export interface TaskRow extends CommonRow {
  readonly state: TaskState;
  readonly priority: number;
  readonly error: string | null;
  readonly result: string | null;
}

export function unfinishedTask(row: MessageRow, now: number): StoredTask {
  return { ...common(row), priority: priorityOf(row.rank), state: waitingState(row, now), result: null, error: null };
}

export function finishedTask(row: TaskRow): StoredTask {
  const { state, priority, result } = row;
  return { ...common(row), priority, state, result, error: errorFrom(row.error) };
}

/** Higher priorities come first, so a rank is a priority turned round. `+ 0` because there is no need for a -0. */
export function rankOf(priority: number): number {
  return -priority + 0;
}

export function priorityOf(rank: number): number {
  return -rank + 0;
}

/** A held message has started in time, so it does not expire any more. */
function waitingState(row: MessageRow, now: number): TaskState {
  if (row.owner !== null && row.owner > 0) return "running";
  if (row.expires_at !== null && row.expires_at <= now) return "expired";
  if (row.attempts > 0) return "retrying";
  return row.due_at > now ? "scheduled" : "queued";
}

function common(row: CommonRow): Omit<StoredTask, "state" | "priority" | "result" | "error"> {
  return {
    id: row.id,
    queue: row.queue,
    func: row.func,
    name: row.name,
    group: row.grp,
    kind: row.kind,
    parent: row.parent,
    envelope: row.envelope,
    attempts: row.attempts,
    queuedAt: row.queued_at,
    dueAt: row.due_at,
    startedAt: row.started_at,
    stoppedAt: row.stopped_at,
    worker: row.worker,
  };
}
