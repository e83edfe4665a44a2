import type { AttemptEnd } from "../core/settle.js";
import type { WorkerExit } from "./channel.js";
import type { HeldJob } from "./worker-slot.js";

/** How a job ended without a report of its own. */
export type JobEnd =
  | { readonly kind: "attempt"; readonly end: AttemptEnd }
  | { readonly kind: "never-started"; readonly why: "cancelled" }
  /** Its worker died before it started, and nothing else ran there. */
  | { readonly kind: "suspect" };

interface Death {
  /** `host:pid`. */
  readonly worker: string;
  readonly now: number;
  /** Wall time minus monotonic time, in milliseconds. */
  readonly offset: number;
}

/**
 * Who is charged when a worker is dead: only a culprit that is sure, which is one that was alone. When several ran, all of them are released as suspects and run alone next, where the guilty one is caught.
 */
export function endsOfRemains(
  remains: { readonly running: readonly HeldJob[]; readonly ended: readonly HeldJob[] },
  exit: WorkerExit,
  death: Death,
): [HeldJob, JobEnd][] {
  const running = remains.running.map((held): [HeldJob, JobEnd] => [
    held,
    { kind: "attempt", end: endOf(held, remains.running, exit, death) },
  ]);
  const ended = remains.ended.map((held): [HeldJob, JobEnd] => [
    held,
    {
      kind: "attempt",
      end: released(held, "It had ended, but its worker died before it could say how.", false, death),
    },
  ]);
  return [...running, ...ended];
}

function endOf(held: HeldJob, running: readonly HeldJob[], exit: WorkerExit, death: Death): AttemptEnd {
  const alone = running.length === 1;
  if (held.abort === "stopped" || held.abort === "lost") return released(held, "Its cluster stopped.", false, death);
  if (held.abort === "cancelled")
    return ending(held, "cancelled", "The task was cancelled, and did not give in.", death);
  if (held.abort === "timeout" && alone) return ending(held, "timeout", timeoutText(held), death);
  if (alone) return ending(held, "died", `The worker died: ${describeExit(exit)}.`, death);
  return released(
    held,
    `The worker died (${describeExit(exit)}) with ${running.length} tasks in it. This one runs alone next time.`,
    true,
    death,
  );
}

function timeoutText(held: HeldJob): string {
  return `Task exceeded maximum timeout value (${(held.entry.policy.timeoutMs ?? 0) / 1_000} seconds), and did not give in`;
}

function ending(held: HeldJob, as: "died" | "timeout" | "cancelled", message: string, death: Death): AttemptEnd {
  const name = { died: "WorkerDiedError", timeout: "TaskTimeoutError", cancelled: "TaskAbortedError" }[as];
  return { ...times(held, death), ending: as, error: { name, message, stack: null } };
}

function released(held: HeldJob, message: string, suspect: boolean, death: Death): AttemptEnd {
  return { ...times(held, death), ending: "released", suspect, error: { name: "ReleasedError", message, stack: null } };
}

function times(held: HeldJob, death: Death): Pick<AttemptEnd, "startedAt" | "stoppedAt" | "worker"> {
  const startedAt = held.startedAt === null ? death.now : Math.round(held.startedAt + death.offset);
  return { startedAt, stoppedAt: Math.max(death.now, startedAt), worker: death.worker };
}

/** Exit codes and signals in words. Node aborts itself when its heap is full. */
export function describeExit({ code, signal }: WorkerExit): string {
  if (signal === "SIGABRT" || code === 134) return "signal SIGABRT, most likely out of memory";
  if (signal !== null) return signal.startsWith("SIG") ? `signal ${signal}` : signal;
  return `exit code ${code ?? "unknown"}`;
}
