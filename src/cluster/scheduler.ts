import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../contracts/logger.js";
import type { ScheduleChange, StoredSchedule } from "../contracts/schedules.js";
import type { ErrorRecord, Store } from "../contracts/store.js";
import { toErrorRecord } from "../core/error-record.js";
import { humanName } from "../core/ids.js";
import { logMessages } from "../core/log-messages.js";
import { breakSchedule, fireSchedule, ruleOf } from "../core/schedule/fire.js";
import { zoneClock } from "../core/schedule/zone-clock.js";
import { StoreUnavailableError } from "../errors.js";
import type { Outage } from "./outage.js";
import { Alarm } from "./alarm.js";

/** Schedules that are read, and fired, at once. */
const batch = 250;
/** Tasks that are stored at once, unless one schedule alone has more. */
const mostTasks = 1_000;
/** How long schedules are worked out before others get their turn, in milliseconds. */
const turnMs = 20;
/** A look without a reason, in milliseconds: where the store tells of changes, and where it does not. */
const safetyLook = { pushed: 60_000, unpushed: 1_000 } as const;
/** How long after a look that has failed for no known reason. In milliseconds. */
const afterFailureMs = 30_000;

export interface SchedulerParts {
  readonly store: Pick<Store, "schedules" | "get" | "capabilities">;
  /** Whose schedules it fires; `null` stands for those that name no cluster. */
  readonly clusters: readonly (string | null)[];
  readonly logger: Logger;
  readonly outage: Pick<Outage, "wait" | "over">;
}

/**
 * Fires schedules: sleeps until the nearest slot, or until a schedule changes. Any number of clusters may do so on one
 * store: each slot is one conditional write, which one of them wins.
 *
 * Counterpart in Django Q2: `django_q.scheduler.scheduler`, called twice a minute.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #alarm = new Alarm();
  #unwatch: (() => void) | undefined;
  #stopped = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#unwatch = this.#parts.store.schedules.watch(() => this.#alarm.ringSoon());
    void this.#run();
  }

  /** Fires nothing more. A write that is under way comes to its end. */
  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
    this.#alarm.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const waitMs = await this.#look();
      await this.#alarm.wait(waitMs);
    }
  }

  /** Fires what is due. Resolves to how long to wait until the next look. */
  async #look(): Promise<number> {
    const { store, outage, logger } = this.#parts;
    try {
      const nextInMs = await this.#fireDue();
      outage.over();
      return Math.min(nextInMs ?? Infinity, store.capabilities.push ? safetyLook.pushed : safetyLook.unpushed);
    } catch (error) {
      if (this.#stopped) return 0;
      if (error instanceof StoreUnavailableError) {
        await outage.wait(error);
        return 0;
      }
      logger.error("Schedules could not be looked at; trying again in half a minute", { error });
      return afterFailureMs;
    }
  }

  async #fireDue(): Promise<number | null> {
    const { store, clusters } = this.#parts;
    for (;;) {
      const { now, schedules, nextInMs } = await store.schedules.due({ clusters, limit: batch });
      if (schedules.length === 0 || this.#stopped) return nextInMs;
      // Others were faster with all of them, and will be with the next ones too unless they get ahead.
      if ((await this.#fire(schedules, now)) === 0) await sleep(20);
    }
  }

  /** Resolves to how many were ours; others may have been faster. */
  async #fire(schedules: readonly StoredSchedule[], now: number): Promise<number> {
    const busy = await this.#busyTasks(schedules);
    let done = 0;
    let part: Fire[] = [];
    let since = performance.now();
    for (const schedule of schedules) {
      const fire = await this.#plan(schedule, now, busy);
      // Schedules that have missed many slots must not become one huge write, nor one long turn of the loop.
      if (part.length > 0 && tasksOf([...part, fire]) > mostTasks) {
        done += await this.#write(part, now);
        part = [];
      }
      part.push(fire);
      if (performance.now() - since > turnMs) {
        await turn();
        since = performance.now();
      }
    }
    return done + (await this.#write(part, now));
  }

  /** What to write for one schedule. One that is broken must not keep the others from their slots. */
  async #plan(schedule: StoredSchedule, now: number, busy: ReadonlySet<string>): Promise<Fire> {
    try {
      const zone = await zoneClock(ruleOf(schedule).timeZone);
      const isBusy = schedule.lastTask !== null && busy.has(schedule.lastTask);
      return { schedule, change: fireSchedule(schedule, now, isBusy, zone) };
    } catch (error) {
      return broken(schedule, error, now);
    }
  }

  /** Resolves to how many were ours. */
  async #write(fires: readonly Fire[], now: number): Promise<number> {
    const { schedules } = this.#parts.store;
    try {
      const answers = await schedules.change(fires.map(({ change }) => change));
      const done = fires.filter((_, index) => answers[index] === "done");
      for (const fire of done) this.#tell(fire);
      return done.length;
    } catch (error) {
      const [first] = fires;
      if (error instanceof StoreUnavailableError || this.#stopped || first === undefined) throw error;
      // One of them is at fault: each by itself shows which.
      if (fires.length > 1) return await this.#writeEach(fires, now);
      if (first.fault !== undefined) throw error;
      return await this.#write([broken(first.schedule, error, now)], now);
    }
  }

  async #writeEach(fires: readonly Fire[], now: number): Promise<number> {
    let done = 0;
    for (const fire of fires) done += await this.#write([fire], now);
    return done;
  }

  #tell({ schedule, change, fault }: Fire): void {
    const { logger } = this.#parts;
    if (fault !== undefined) logger.error(logMessages.notScheduled("Scheduler", nameOf(schedule), fault.message));
    for (const { id, name } of change.tasks) {
      const line = logMessages.scheduled("Scheduler", name ?? humanName(id), nameOf(schedule));
      logger.info(line, { taskId: id, task: schedule.func });
    }
  }

  /** Of the last tasks of schedules whose tasks must not overlap, those that have not finished. */
  async #busyTasks(schedules: readonly StoredSchedule[]): Promise<ReadonlySet<string>> {
    const ids = schedules.flatMap(({ lastTask, rule }) =>
      lastTask === null || rule.includes('"overlap":"allow"') ? [] : [lastTask],
    );
    if (ids.length === 0) return new Set();
    const tasks = await this.#parts.store.get(ids);
    return new Set(tasks.filter(({ state }) => unfinished.has(state)).map(({ id }) => id));
  }
}

interface Fire {
  readonly schedule: StoredSchedule;
  readonly change: ScheduleChange;
  /** Why it cannot be fired. */
  readonly fault?: ErrorRecord;
}

function broken(schedule: StoredSchedule, error: unknown, now: number): Fire {
  const fault = toErrorRecord(error);
  return { schedule, change: breakSchedule(schedule, fault, now), fault };
}

const unfinished: ReadonlySet<string> = new Set(["scheduled", "queued", "running", "retrying"]);

function nameOf({ name, id }: StoredSchedule): string {
  return name ?? id;
}

function tasksOf(fires: readonly Fire[]): number {
  return fires.reduce((sum, { change }) => sum + change.tasks.length, 0);
}
