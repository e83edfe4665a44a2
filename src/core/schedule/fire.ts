import type {
  NewRun,
  PassedOver,
  ScheduleChange,
  ScheduleProgress,
  StoredSchedule,
} from "../../contracts/schedules.js";
import type { ErrorRecord, NewTask } from "../../contracts/store.js";
import { dueSlots } from "./catch-up.js";
import { nextSlot } from "./next-slot.js";
import type { Rule } from "./rule.js";
import { taskOfSlot, type ScheduleTarget } from "./target.js";
import type { ZoneClock } from "./zone-clock.js";

/** How long a slot waits before somebody looks again whether the task before it has finished, in milliseconds. */
const holdMs = 500;
/** How long a schedule that cannot be fired is left alone: twice as long each time. In milliseconds. */
const backOff = { firstMs: 60_000, longestMs: 3_600_000 } as const;

export function ruleOf({ rule }: Pick<StoredSchedule, "rule">): Rule {
  return JSON.parse(rule) as Rule;
}

export function targetOf({ target }: Pick<StoredSchedule, "target">): ScheduleTarget {
  return JSON.parse(target) as ScheduleTarget;
}

/** When a schedule with this progress has to be looked at: never while it is paused, used up or without a slot. */
export function dueAtOf({
  nextRun,
  paused,
  repeats,
}: Pick<ScheduleProgress, "nextRun" | "paused" | "repeats">): number | null {
  return paused || repeats === 0 ? null : nextRun;
}

/**
 * What to write for a schedule that is due: its tasks and runs, and the slot that it waits for next.
 *
 * @param now - The store's clock.
 * @param isBusy - A task that it made earlier has not finished.
 * @throws what is wrong with a schedule that cannot be fired; see {@link breakSchedule}.
 */
export function fireSchedule(schedule: StoredSchedule, now: number, isBusy: boolean, zone: ZoneClock): ScheduleChange {
  const rule = ruleOf(schedule);
  const { nextRun, repeats } = schedule;
  if (nextRun === null || nextRun > now) return changeOf(schedule, { dueAt: dueAtOf(schedule) });
  const waits = isBusy && rule.overlap !== "allow";
  if (waits && rule.overlap === "queue") return changeOf(schedule, { dueAt: now + holdMs });
  const slots = dueSlots(rule, nextRun, now, repeats, zone);
  const fired = waits ? [] : slots.fire;
  const tasks = fired.map((slot) => taskFor(schedule, rule, { slot }));
  const runs =
    fired.length > 0
      ? fired.map((slot, index) =>
          runOf(schedule, index, { slot, at: now, task: tasks[index]?.id ?? null, passedOver: null }),
        )
      : [passedOverRun(schedule, slots.newest, now, waits ? "overlap" : "missed")];
  if (rule.type === "ONCE" && repeats < 0 && fired.length > 0)
    return { ...changeOf(schedule, {}), progress: null, runs, tasks };
  const left = rule.type === "ONCE" ? 0 : Math.max(0, repeats - fired.length);
  const after = {
    nextRun: slots.next,
    repeats: repeats < 0 ? repeats : fired.length === 0 ? repeats : left,
    paused: schedule.paused,
  };
  const lastTask = tasks.at(-1)?.id ?? schedule.lastTask;
  return { ...changeOf(schedule, { ...after, dueAt: dueAtOf(after), lastTask, fault: null }), runs, tasks };
}

/**
 * A run out of turn: neither the next slot nor the number of repeats changes.
 *
 * @param run - A number that nobody else has for this schedule.
 */
export function fireNow(schedule: StoredSchedule, now: number, run: number): ScheduleChange {
  const task = taskFor(schedule, ruleOf(schedule), { slot: now, run });
  const record = runOf(schedule, 0, { slot: now, at: now, task: task.id, passedOver: null });
  return {
    ...changeOf(schedule, { lastTask: task.id }),
    runs: [{ ...record, manual: true }],
    tasks: [{ ...task, dueAt: null }],
  };
}

/** Passes over the next slot. `undefined`: there is none. */
export function skipSlot(schedule: StoredSchedule, now: number, zone: ZoneClock): ScheduleChange | undefined {
  const { nextRun } = schedule;
  if (nextRun === null) return undefined;
  const after = { ...schedule, nextRun: nextSlot(ruleOf(schedule), nextRun, zone) };
  const runs = [passedOverRun(schedule, nextRun, now, "skipped")];
  return { ...changeOf(schedule, { nextRun: after.nextRun, dueAt: dueAtOf(after) }), runs };
}

/** Marks a schedule that cannot be fired, and leaves it alone for a while. Its slot stays, for whoever can fire it then. */
export function breakSchedule(schedule: StoredSchedule, error: ErrorRecord, now: number): ScheduleChange {
  const count = (schedule.fault?.count ?? 0) + 1;
  const retryAt = now + Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(count - 1, 10));
  return changeOf(schedule, { fault: { error, count, retryAt }, dueAt: retryAt });
}

/** A change of progress alone. */
export function changeOf(schedule: StoredSchedule, changes: Partial<ScheduleProgress>): ScheduleChange {
  const { id, revision, nextRun, dueAt, repeats, paused, lastTask, fault } = schedule;
  const progress = { nextRun, dueAt, repeats, paused, lastTask, fault, ...changes };
  return { id, revision, progress, runs: [], tasks: [] };
}

function taskFor(
  schedule: StoredSchedule,
  rule: Rule,
  facts: { readonly slot: number; readonly run?: number },
): NewTask {
  return taskOfSlot(targetOf(schedule), { schedule: schedule.id, ...facts }, schedule.func, rule.jitterMs);
}

function runOf({ runCount }: StoredSchedule, index: number, facts: Omit<NewRun, "number" | "manual">): NewRun {
  return { number: runCount + 1 + index, manual: false, ...facts };
}

function passedOverRun(schedule: StoredSchedule, slot: number, at: number, passedOver: PassedOver): NewRun {
  return runOf(schedule, 0, { slot, at, task: null, passedOver });
}
