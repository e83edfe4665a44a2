import type { StoredRun, StoredSchedule } from "../contracts/schedules.js";
import { openTask } from "../core/envelope.js";
import type { Keyring } from "../core/keyring.js";
import { describeRule } from "../core/schedule/describe-rule.js";
import { ruleOf, targetOf } from "../core/schedule/fire.js";
import { argumentsOf, planOf } from "../core/schedule/flow-plan.js";
import { zoneClock } from "../core/schedule/zone-clock.js";
import { readHeader } from "../core/task-header.js";
import type { Schedule, ScheduleRun } from "./schedule-types.js";

/** What a schedule needs to tell more of itself. */
export interface ViewHost {
  readonly keys: () => Keyring;
  readonly maxBytes: number;
  /** Whether its last task succeeded; `undefined` when that is not known. */
  readonly succeeded: (schedule: StoredSchedule) => Promise<boolean | undefined>;
}

/** A schedule as its users see it. Arguments are opened when somebody reads them. */
export async function viewOf(stored: StoredSchedule, host: ViewHost): Promise<Schedule> {
  const rule = ruleOf(stored);
  const target = targetOf(stored);
  const { type, everyMs, cron, timeZone, until, catchUp, overlap } = rule;
  const { fault } = stored;
  return {
    id: stored.id,
    name: stored.name ?? undefined,
    func: stored.func,
    kind: target.kind,
    funcs: target.funcs ?? [stored.func],
    size: target.size ?? 1,
    get args() {
      const { args } = openTask(host.keys(), target.queue, target.envelope, { maxBytes: host.maxBytes });
      return target.kind === "task" ? args : planOf(args).calls.map(argumentsOf);
    },
    type,
    minutes: type === "MINUTES" ? (everyMs ?? 0) / 60_000 : undefined,
    every: type === "EVERY" ? everyMs : undefined,
    cron,
    timeZone,
    until: dateOf(until),
    catchUp,
    overlap,
    description: describeRule(rule, await zoneClock(timeZone)),
    nextRun: dateOf(stored.nextRun),
    repeats: stored.repeats,
    paused: stored.paused,
    cluster: stored.cluster ?? undefined,
    queue: target.queue,
    group: target.group ?? undefined,
    hook: readHeader(target.envelope)?.hook,
    lastTask: stored.lastTask ?? undefined,
    isDeclared: stored.declaredBy !== null,
    fault:
      fault === null
        ? undefined
        : { message: fault.error.message, count: fault.count, retryAt: new Date(fault.retryAt) },
    createdAt: new Date(stored.createdAt),
    success: () => host.succeeded(stored),
    toString: () => stored.func,
  };
}

export function runView({ number, slot, at, task, state, manual }: StoredRun): ScheduleRun {
  return { number, slot: new Date(slot), at: new Date(at), taskId: task ?? undefined, state, manual };
}

function dateOf(instant: number | null | undefined): Date | undefined {
  return instant === null || instant === undefined ? undefined : new Date(instant);
}
