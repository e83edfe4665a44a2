import type { Flows, NewFlow, StoredFlow } from "../../contracts/flows.js";
import type { NewTask } from "../../contracts/store.js";
import type { Clock } from "../../contracts/clock.js";
import { moveFlow, queueStep } from "./flow-advance.js";
import { outcomesOf } from "./flow-state.js";
import type { ProjectState } from "./state.js";

export function memoryFlows(state: ProjectState, clock: Clock): Flows {
  return {
    open: async (flow, members) => openFlow(state, flow, members, clock.now()),
    close: async (id, size) => closeFlow(state, id, size, clock.now()),
    resume: async (id, run, again, expiresMs) => resumeChain(state, { id, run, again, expiresMs }, clock.now()),
    find: async (ids) => [...new Set(ids)].flatMap((id) => state.flows.get(id)?.flow ?? []),
    members: async (id) => [...(state.flows.get(id)?.tasks.values() ?? [])],
    async outcomes(id, from, maxBytes) {
      const held = state.flows.get(id);
      let bytes = 0;
      return (held === undefined ? [] : outcomesOf(held, from)).filter(({ result, error }, index) => {
        bytes += Buffer.byteLength(result ?? JSON.stringify(error));
        return index === 0 || bytes <= maxBytes;
      });
    },
  };
}

function openFlow(state: ProjectState, opened: NewFlow, members: readonly NewTask[], now: number): void {
  if (state.flows.has(opened.id)) return;
  const { expiresMs, ...rest } = opened;
  const counts = { step: 0, done: 0, failed: 0, failedAt: null, error: null, run: 0 } as const;
  const times = { openedAt: now, expiresAt: expiresMs === null ? null : now + expiresMs, endedAt: null };
  const flow: StoredFlow = { ...rest, ...counts, ...times, state: "open" };
  const tasks = new Map(members.map((task) => [task.member?.place ?? 0, task]));
  const held = { flow, tasks, outcomes: new Map(), joined: new Set<string>() };
  state.flows.set(flow.id, held);
  if (flow.kind === "chain") queueStep(state, held, now);
  else moveFlow(state, held, [], now);
  state.bell.ring();
}

function closeFlow(state: ProjectState, id: string, size: number, now: number): void {
  const held = state.flows.get(id);
  if (held?.flow.state !== "open" || held.flow.steps.length > 0) return;
  held.flow = { ...held.flow, steps: [size] };
  moveFlow(state, held, [], now);
}

interface Resumed {
  readonly id: string;
  readonly run: number;
  readonly again: readonly NewTask[];
  readonly expiresMs: number | null;
}

function resumeChain(state: ProjectState, { id, run, again, expiresMs }: Resumed, now: number): boolean {
  const held = state.flows.get(id);
  if (held === undefined || held.flow.kind !== "chain" || again.length === 0) return false;
  const { flow } = held;
  if ((flow.state !== "failed" && flow.state !== "cancelled") || run !== flow.run + 1) return false;
  for (const task of again) {
    const place = task.member?.place ?? 0;
    held.tasks.set(place, task);
    held.outcomes.delete(place);
  }
  const failures = outcomesOf(held).filter((outcome) => outcome.state !== "succeeded");
  const counts = { done: held.outcomes.size, failed: failures.length, failedAt: failures[0]?.place ?? null };
  const expiresAt = expiresMs === null ? null : now + expiresMs;
  held.flow = { ...flow, ...counts, state: "open", run, error: null, endedAt: null, expiresAt };
  state.finished.delete(id);
  queueStep(state, held, now);
  return true;
}
