import type { StoredTask, TaskState } from "../../contracts/store.js";
import { readEnding, type Ending } from "./ending.js";
import { idOfMember } from "./key-layout.js";
import { readBody, readChanges, type Body, type Changes } from "./packing.js";

/** An unfinished task, as the store shows it. @param now - By the server's clock. */
export function unfinishedTask(body: string, changes: string, isHeld: boolean, now: number): StoredTask {
  const read = readBody(body);
  const changed = readChanges(changes);
  return {
    ...common(read, changed),
    state: waitingState(read, changed, isHeld, now),
    attempts: changed.attempts,
    startedAt: changed.startedAt,
    stoppedAt: changed.stoppedAt,
    worker: changed.worker,
    result: null,
    error: null,
  };
}

/** A finished task, from its value. */
export function finishedTask(value: string): StoredTask {
  const { ending, finishedAt, changes, rest } = partsOf(value);
  const { to, attempt, error, resultLength } = ending;
  const changed = readChanges(changes);
  return {
    ...common(readBody(rest.slice(resultLength ?? 0)), changed),
    state: to,
    attempts: changed.attempts + (attempt?.counted === true ? 1 : 0),
    startedAt: attempt?.startedAt ?? changed.startedAt,
    stoppedAt: attempt?.stoppedAt ?? changed.stoppedAt ?? finishedAt,
    worker: attempt?.worker ?? changed.worker,
    result: resultLength === null ? null : rest.slice(0, resultLength),
    error,
  };
}

/** How a finished task ended, without a look at the rest. */
export function endingOf(value: string): Ending {
  return readEnding(value.slice(0, value.indexOf("\n")));
}

function partsOf(value: string): { ending: Ending; finishedAt: number; changes: string; rest: string } {
  const first = value.indexOf("\n");
  const second = value.indexOf("\n", first + 1);
  const line = value.slice(first + 1, second);
  const afterTime = line.indexOf(";");
  const afterSize = line.indexOf(";", afterTime + 1);
  return {
    ending: endingOf(value),
    finishedAt: Number(line.slice(0, afterTime)),
    changes: line.slice(afterSize + 1),
    rest: value.slice(second + 1),
  };
}

type Common = Omit<StoredTask, "state" | "attempts" | "startedAt" | "stoppedAt" | "worker" | "result" | "error">;

function common({ member, queuedAt, dueAt, head, envelope }: Body, changes: Changes): Common {
  const [queue, func, name, group, kind, parent, priority] = head;
  const id = idOfMember(member);
  return {
    id,
    queue,
    func,
    name,
    group,
    kind,
    parent,
    envelope,
    priority,
    queuedAt,
    dueAt: changes.dueAt ?? dueAt,
  };
}

/** A held message has started in time, so it does not expire any more. */
function waitingState(body: Body, changes: Changes, isHeld: boolean, now: number): TaskState {
  if (isHeld) return "running";
  if (body.expiresAt !== null && body.expiresAt <= now) return "expired";
  if (changes.attempts > 0) return "retrying";
  return (changes.dueAt ?? body.dueAt) > now ? "scheduled" : "queued";
}
