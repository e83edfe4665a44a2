import type {
  InsertedSchedule,
  NewSchedule,
  ScheduleChange,
  Schedules,
  StoredRun,
  StoredSchedule,
} from "../contracts/schedules.js";
import type { Store } from "../contracts/store.js";
import { checkRule } from "../core/schedule/check-rule.js";
import { changeOf, dueAtOf, fireNow, ruleOf, skipSlot, targetOf } from "../core/schedule/fire.js";
import { nextSlot } from "../core/schedule/next-slot.js";
import { previewSlots } from "../core/schedule/preview.js";
import type { Rule } from "../core/schedule/rule.js";
import { loadTemporal, zoneClock } from "../core/schedule/zone-clock.js";
import { quote } from "../core/quote.js";
import { OptionError, ScheduleError } from "../errors.js";
import { boundedInteger, filledText } from "./option-checks.js";
import { newId } from "./random-ids.js";
import { checkKept, draftSchedule, newSchedule, replacement, type Draft, type DraftHost } from "./schedule-draft.js";
import { editedSchedule } from "./schedule-edit.js";
import { readScheduleOptions } from "./schedule-options.js";
import type { Schedule, ScheduleVerbs } from "./schedule-types.js";
import { runView, viewOf } from "./schedule-view.js";
import { syncSchedules } from "./schedule-sync.js";

/** What schedules of one client work with. */
export interface ScheduleHost extends DraftHost {
  readonly store: () => Promise<Store>;
  /** Says so when clusters are alive and none of them knows the task. */
  readonly checkLive: (func: string) => void;
  readonly warn: (text: string) => void;
}

/** A new schedule that only needs to be written. */
export interface PreparedSchedule {
  readonly schedule: NewSchedule;
  /** Refuses what the store could not open. */
  readonly check: (store: Store) => void;
  /** What the verb resolves to. Throws at once. @throws {ScheduleError} when the name was taken. */
  readonly written: (answer: InsertedSchedule) => Promise<Schedule>;
}

/** So often a change is made anew when somebody else has changed the schedule meanwhile. */
const mostTries = 50;

/** The verbs on schedules, loaded by the first of them. */
export class ScheduleClient implements ScheduleVerbs {
  readonly #host: ScheduleHost;

  constructor(host: ScheduleHost) {
    this.#host = host;
  }

  readonly create = async (target: unknown, rule: unknown): Promise<Schedule> => {
    const draft = await draftSchedule(this.#host, target, rule);
    const { schedule } = await this.put(draft, { upsert: draft.options.upsert, declaredBy: null });
    return await this.#view(schedule);
  };

  /** Loads what {@link prepare} would have to wait for. */
  readonly ready: () => Promise<void> = loadTemporal;

  /**
   * Checks and seals a new schedule for whoever writes it in a transaction. A promise only for an input schema that is
   * asynchronous, and for the first zone before {@link ready}.
   *
   * @throws {OptionError} for `upsert`, which would have to wait for others.
   */
  prepare(target: unknown, rule: unknown): PreparedSchedule | Promise<PreparedSchedule> {
    const draft = draftSchedule(this.#host, target, rule);
    return draft instanceof Promise ? draft.then((ready) => this.#prepared(ready)) : this.#prepared(draft);
  }

  #prepared(draft: Draft): PreparedSchedule {
    if (draft.options.upsert) {
      throw new OptionError(
        "The option upsert cannot be used in a transaction: changing a schedule that is there has to wait for whoever fires it. " +
          "Nothing was written. Leave it out, or call q.schedules.update() after the commit.",
      );
    }
    const schedule = newSchedule(this.#host, draft, newId(), null);
    return {
      schedule,
      check: (store) => checkKept(store, draft),
      written: ({ id, created }) => {
        if (!created) throw nameTaken({ id, name: schedule.name });
        for (const func of draft.unknown) this.#host.checkLive(func);
        this.#checkCluster(draft);
        return this.#view(this.#asMade(schedule));
      },
    };
  }

  readonly get: ScheduleVerbs["get"] = async (idOrName) => {
    const stored = await (await this.#schedules()).find(key(idOrName));
    return stored === undefined ? undefined : await this.#view(stored);
  };

  readonly list: ScheduleVerbs["list"] = async ({ after, limit = 100 } = {}) => {
    const stored = await (await this.#schedules()).list({ after, limit: most(limit) });
    return await Promise.all(stored.map((one) => this.#view(one)));
  };

  readonly update: ScheduleVerbs["update"] = async (idOrName, changes) =>
    await this.#changed(idOrName, async (schedule) => {
      if (schedule.declaredBy !== null) throw declared(schedule);
      const { definition, nextRun, repeats } = await editedSchedule(this.#host, schedule, changes);
      const progress = { nextRun, repeats, paused: schedule.paused };
      return { ...changeOf(schedule, { ...progress, dueAt: dueAtOf(progress), fault: null }), definition };
    });

  readonly remove: ScheduleVerbs["remove"] = async (idOrName) => {
    const schedules = await this.#schedules();
    if ((await schedules.find(key(idOrName))) === undefined) return false;
    await this.#change(idOrName, async (schedule) => ({ ...changeOf(schedule, {}), progress: null }));
    return true;
  };

  readonly pause: ScheduleVerbs["pause"] = async (idOrName) =>
    await this.#changed(idOrName, async (schedule) => changeOf(schedule, { paused: true, dueAt: null }));

  readonly resume: ScheduleVerbs["resume"] = async (idOrName) =>
    await this.#changed(idOrName, async (schedule) => {
      if (!schedule.paused) return changeOf(schedule, {});
      const after = { ...schedule, paused: false, nextRun: await this.#firstFromNow(schedule) };
      return changeOf(schedule, { paused: false, nextRun: after.nextRun, dueAt: dueAtOf(after) });
    });

  readonly runNow: ScheduleVerbs["runNow"] = async (idOrName) => {
    const store = await this.#host.store();
    // One number for all tries: what has arrived, though nobody was told, is not made again.
    const run = Number.parseInt(newId().slice(-12), 16);
    const made = await this.#change(idOrName, async (schedule) => fireNow(schedule, await store.now(), run));
    return made.tasks[0]?.id ?? "";
  };

  readonly skipNext: ScheduleVerbs["skipNext"] = async (idOrName) =>
    await this.#changed(idOrName, async (schedule) => {
      const now = await (await this.#host.store()).now();
      const skipped = skipSlot(schedule, now, await zoneClock(ruleOf(schedule).timeZone));
      if (skipped !== undefined) return skipped;
      throw new ScheduleError("nextRun", `The schedule ${nameOf(schedule)} has no slot to skip: it has none left.`);
    });

  readonly preview: ScheduleVerbs["preview"] = async (schedule, { count = 5, after } = {}) => {
    const { rule, first } = await this.#ruleOf(schedule);
    const from = after?.getTime() ?? Math.max(first - 1, this.#host.now());
    const slots = previewSlots(rule, from, most(count), await zoneClock(rule.timeZone));
    return slots.map(({ slot, note }) => ({ slot: new Date(slot), note }));
  };

  readonly runs: ScheduleVerbs["runs"] = async (idOrName, { limit = 20, before } = {}) => {
    const schedules = await this.#schedules();
    const stored = await schedules.find(key(idOrName));
    if (stored === undefined) return [];
    return (await this.#runs(stored, most(limit), before)).map(runView);
  };

  readonly sync: ScheduleVerbs["sync"] = async (schedules, options) =>
    await syncSchedules(this.#host, this, schedules, options);

  /**
   * Stores a new schedule, or changes the one that has its name.
   *
   * @throws {ScheduleError} when the name is taken and `upsert` is false.
   */
  async put(
    draft: Draft,
    { upsert, declaredBy }: { readonly upsert: boolean; readonly declaredBy: string | null },
  ): Promise<{ readonly schedule: StoredSchedule; readonly did: "added" | "changed" | "unchanged" }> {
    const schedules = await this.#schedules();
    checkKept(await this.#host.store(), draft);
    for (const func of draft.unknown) this.#host.checkLive(func);
    this.#checkCluster(draft);
    for (let tries = 0; tries < mostTries; tries++) {
      const made = newSchedule(this.#host, draft, newId(), declaredBy);
      const { id, created } = await schedules.insert(made);
      const stored = await schedules.find(id);
      // Due at once, it may have fired for the last time by now, and be gone.
      if (created) return { schedule: stored ?? this.#asMade(made), did: "added" };
      // Removed since, by somebody else.
      if (stored === undefined) continue;
      if (!upsert) throw nameTaken(stored);
      const change = this.#replacing(stored, draft, declaredBy);
      if (change === undefined) return { schedule: stored, did: "unchanged" };
      const [answer] = await schedules.change([change]);
      if (answer === "done") return { schedule: await this.#find(id), did: "changed" };
    }
    throw tooManyTries(draft.options.name ?? draft.func);
  }

  #asMade(schedule: NewSchedule): StoredSchedule {
    return { ...schedule, revision: 1, runCount: 0, createdAt: this.#host.now() };
  }

  /** Tasks without a queue go to the cluster of the configuration; schedules without a cluster do not. */
  #checkCluster({ options, func }: Draft): void {
    const { name, clusterName } = this.#host.config;
    if (options.cluster !== undefined || clusterName === name) return;
    this.#host.warn(
      `The schedule of ${func} names no cluster, so clusters with the name "${name}" fire it; this configuration's is ` +
        `"${clusterName}". Give it cluster: "${clusterName}" if that is meant.`,
    );
  }

  #replacing(stored: StoredSchedule, draft: Draft, declaredBy: string | null): ScheduleChange | undefined {
    const by = declaredBy ?? stored.declaredBy;
    const { definition, nextRun } = replacement(this.#host, draft, stored, by);
    if (definition.fingerprint === stored.fingerprint && stored.declaredBy === by) return undefined;
    const progress = { nextRun, repeats: draft.options.repeats ?? -1, paused: stored.paused };
    return { ...changeOf(stored, { ...progress, dueAt: dueAtOf(progress), fault: null }), definition };
  }

  /** ONCE keeps its time, and runs at once when that has passed. */
  async #firstFromNow(schedule: StoredSchedule): Promise<number | null> {
    const rule = ruleOf(schedule);
    const now = await (await this.#host.store()).now();
    const { nextRun } = schedule;
    if (rule.type === "ONCE" || nextRun === null || nextRun > now) return nextRun;
    return nextSlot(rule, now, await zoneClock(rule.timeZone));
  }

  async #ruleOf(schedule: unknown): Promise<{ readonly rule: Rule; readonly first: number }> {
    if (typeof schedule === "string") {
      const stored = await this.#find(schedule);
      return { rule: ruleOf(stored), first: stored.nextRun ?? Infinity };
    }
    const { rule: input, timeZone } = readScheduleOptions(schedule);
    const { config, now } = this.#host;
    const zone = await zoneClock(timeZone ?? config.timeZone);
    const setting = { now: now(), zone, catchUp: config.catchUp, zeroMinutes: config.preset === "django-q2" };
    const { rule, firstSlot } = checkRule(input, setting);
    return { rule, first: firstSlot };
  }

  async #changed(idOrName: string, make: (schedule: StoredSchedule) => Promise<ScheduleChange>): Promise<Schedule> {
    const { id } = await this.#change(idOrName, make);
    return await this.#view(await this.#find(id));
  }

  /** Makes a change anew as long as somebody else is faster. */
  async #change(
    idOrName: string,
    make: (schedule: StoredSchedule) => Promise<ScheduleChange>,
  ): Promise<ScheduleChange> {
    const schedules = await this.#schedules();
    for (let tries = 0; tries < mostTries; tries++) {
      const change = await make(await this.#find(idOrName));
      const [answer] = await schedules.change([change]);
      if (answer === "done" || (answer === "stale" && (await wasMade(schedules, change)))) return change;
      if (answer === "taken")
        throw new ScheduleError(
          "name",
          `Another schedule has the name ${quote(change.definition?.name)}. Choose another one.`,
        );
    }
    throw tooManyTries(idOrName);
  }

  async #find(idOrName: string): Promise<StoredSchedule> {
    const stored = await (await this.#schedules()).find(key(idOrName));
    if (stored !== undefined) return stored;
    throw new ScheduleError(
      "name",
      `There is no schedule ${quote(idOrName)}. q.schedules.list() has those that there are.`,
    );
  }

  async #schedules(): Promise<Schedules> {
    return (await this.#host.store()).schedules;
  }

  /** With the state of the chain, iterable or batch that a task has opened: the task alone has long ended. */
  async #runs(schedule: StoredSchedule, limit: number, before?: number): Promise<StoredRun[]> {
    const store = await this.#host.store();
    const runs = await store.schedules.runs(schedule.id, { limit, before });
    if (targetOf(schedule).kind === "task") return runs;
    const tasks = await store.get(runs.flatMap(({ task }) => task ?? []));
    const states = new Map(tasks.map(({ id, state }) => [id, state]));
    return runs.map((run) => ({ ...run, state: states.get(run.task ?? "") ?? run.state }));
  }

  #view(stored: StoredSchedule): Promise<Schedule> {
    const { enqueue } = this.#host;
    return viewOf(stored, {
      keys: () => enqueue.keys,
      maxBytes: enqueue.seal.maxBytes,
      succeeded: async ({ lastTask }) => {
        const runs = await this.#runs(stored, 100);
        const state = runs.find(({ task }) => task !== null && task === lastTask)?.state;
        if (state === "succeeded") return true;
        return state === "failed" || state === "cancelled" || state === "expired" ? false : undefined;
      },
    });
  }
}

/** A store that was away for a moment may have made the change before it was told again. */
async function wasMade(schedules: Schedules, { id, runs }: ScheduleChange): Promise<boolean> {
  const task = runs[0]?.task;
  if (task === undefined || task === null) return false;
  return (await schedules.runs(id, { limit: 20 })).some((run) => run.task === task);
}

function key(idOrName: unknown): string {
  return filledText(idOrName, "idOrName");
}

function most(limit: unknown): number {
  return boundedInteger(limit, "limit", 1, 10_000) ?? 1;
}

function nameOf({ name, id }: StoredSchedule): string {
  return quote(name ?? id);
}

function declared(schedule: StoredSchedule): OptionError {
  return new OptionError(
    `The schedule ${nameOf(schedule)} is declared in code, which would undo the change at its next start. Change it there.`,
  );
}

function nameTaken(stored: Pick<StoredSchedule, "id" | "name">): ScheduleError {
  return new ScheduleError(
    "name",
    `There is a schedule named ${quote(stored.name)} already (${stored.id}). Choose another name, change that one with ` +
      "q.schedules.update(), or give `upsert: true` to make it this one.",
  );
}

function tooManyTries(what: string): Error {
  return new ScheduleError(
    "name",
    `The schedule ${quote(what)} was changed by others ${mostTries} times meanwhile. Try again.`,
  );
}
