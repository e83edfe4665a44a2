import type { Store, StoredTask } from "../contracts/store.js";
import { ClosedError, StoreUnavailableError } from "../errors.js";
import { Pace } from "./pace.js";

const firstPollMs = 50;
const slowestPollMs = 1_000;
/** With a store that pushes changes, a look all the same, in case a hint was lost. */
const safetyLookMs = 30_000;
/** Timers of Node count no further; a longer wait has no end of its own. */
const longestTimerMs = 2 ** 31 - 1;

/** What a wait is for: a finished task by id or name, so many finished members of a group, or of a flow unless it ends before. */
export type Awaited =
  | { readonly kind: "id"; readonly id: string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "group"; readonly group: string; readonly count: number }
  | { readonly kind: "flow"; readonly id: string; readonly count: number };

/** How long to wait, in milliseconds (0: one look; `Infinity`: no end), and what ends it early. */
export interface Patience {
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  readonly goal: Awaited;
  /** The next look is the last one. */
  last: boolean;
  readonly settle: (found: StoredTask | true | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * All waits of one client. One look answers all of them: the store is asked when it says that something changed, and from
 * time to time in case it cannot say so.
 */
export class Waiters {
  readonly #store: () => Promise<Store>;
  readonly #waiting = new Set<Waiter>();
  #looking = false;
  /** How long after the look under way the next one was asked for. */
  #nextMs: number | undefined;
  /** When changes lead to a look. */
  readonly #pace = new Pace();
  /** The store has said that something changed during the look under way. */
  #changed = false;
  #pollMs = firstPollMs;
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;

  constructor(store: () => Promise<Store>) {
    this.#store = store;
  }

  /** The finished task, `true` for a group that is complete, or `undefined` when the time was up. */
  wait(goal: Awaited, { waitMs, signal }: Patience): Promise<StoredTask | true | undefined> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#remove(waiter);
      };
      const waiter: Waiter = {
        goal,
        last: waitMs === 0,
        settle: (found) => (end(), resolve(found)),
        fail: (error) => (end(), reject(error)),
      };
      const abort = (): void => waiter.fail(signal?.reason);
      const timer = this.#deadline(waiter, waitMs);
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(waiter);
      this.#pollMs = firstPollMs;
      this.#lookSoon(0);
    });
  }

  /** Rejects every wait with {@link ClosedError}. */
  close(): void {
    for (const waiter of this.#waiting) waiter.fail(new ClosedError());
  }

  #deadline(waiter: Waiter, waitMs: number): NodeJS.Timeout | undefined {
    if (waitMs === 0 || waitMs > longestTimerMs) return undefined;
    return setTimeout(() => {
      waiter.last = true;
      this.#lookSoon(0);
    }, waitMs);
  }

  #remove(waiter: Waiter): void {
    this.#waiting.delete(waiter);
    if (this.#waiting.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
    clearTimeout(this.#timer);
  }

  #lookSoon(delayMs: number): void {
    if (this.#looking) {
      this.#nextMs = Math.min(this.#nextMs ?? delayMs, delayMs);
      return;
    }
    clearTimeout(this.#timer);
    if (delayMs > 0) {
      this.#timer = setTimeout(() => void this.#look(), delayMs);
      return;
    }
    this.#looking = true;
    // What the same turn of the loop asks for joins this look.
    queueMicrotask(() => void this.#look());
  }

  async #look(): Promise<void> {
    this.#looking = true;
    this.#nextMs = undefined;
    this.#changed = false;
    this.#pace.began(performance.now());
    const asked = [...this.#waiting];
    try {
      const store = await this.#store();
      this.#watch(store);
      const start = performance.now();
      await answer(store, asked);
      this.#pace.ended(start, performance.now());
      this.#scheduleNext(store.capabilities.push);
    } catch (error) {
      this.#failed(asked, error);
    } finally {
      this.#looking = false;
    }
    if (this.#waiting.size === 0) return;
    if (this.#nextMs !== undefined) this.#lookSoon(this.#nextMs);
    else if (this.#changed) this.#lookAfterRest();
  }

  #watch(store: Store): void {
    if (this.#unwatch !== undefined || ![...this.#waiting].some((waiter) => !waiter.last)) return;
    this.#unwatch = store.watch(() => {
      if (this.#looking) this.#changed = true;
      else this.#lookAfterRest();
    }, "results");
  }

  #lookAfterRest(): void {
    this.#lookSoon(this.#pace.delay(performance.now()));
  }

  #scheduleNext(push: boolean): void {
    if (this.#waiting.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), push ? safetyLookMs : this.#pollMs);
    this.#pollMs = Math.min(slowestPollMs, this.#pollMs * 1.5);
  }

  /** An outage does not end a wait before its time. */
  #failed(asked: readonly Waiter[], error: unknown): void {
    const passing = error instanceof StoreUnavailableError;
    for (const waiter of asked) if (waiter.last || !passing) waiter.fail(error);
    this.#scheduleNext(false);
  }
}

/** One query for all ids, one for each group and name; then settles who has what it waits for, or waits no longer. */
async function answer(store: Store, asked: readonly Waiter[]): Promise<void> {
  const idByName = await idsOfNames(store, asked);
  const ids = new Set(asked.flatMap(({ goal }) => (goal.kind === "id" ? goal.id : idOf(goal, idByName)) ?? []));
  const [finished, sizes, flows] = await Promise.all([
    ids.size === 0 ? [] : store.finished([...ids]),
    sizesOfGroups(store, asked),
    endedOfFlows(store, asked),
  ]);
  const byId = new Map(finished.map((task) => [task.id, task]));
  for (const waiter of asked) {
    const { goal } = waiter;
    const found =
      goal.kind === "group"
        ? (sizes.get(goal.group) ?? 0) >= goal.count || undefined
        : goal.kind === "flow"
          ? (flows.get(goal.id) ?? 0) >= goal.count || undefined
          : byId.get((goal.kind === "id" ? goal.id : idOf(goal, idByName)) ?? "");
    if (found !== undefined) waiter.settle(found);
    else if (waiter.last) waiter.settle(goal.kind === "id" ? await named(store, goal.id) : undefined);
  }
}

/** What looks like an id may be a name after all. Counterpart in Django Q2: `Task.get_result`. */
async function named(store: Store, name: string): Promise<StoredTask | undefined> {
  const id = await store.findByName(name);
  return id === undefined ? undefined : (await store.finished([id]))[0];
}

function idOf(goal: Awaited, idByName: ReadonlyMap<string, string>): string | undefined {
  return goal.kind === "name" ? idByName.get(goal.name) : undefined;
}

async function idsOfNames(store: Store, asked: readonly Waiter[]): Promise<Map<string, string>> {
  const names = new Set(asked.flatMap(({ goal }) => (goal.kind === "name" ? goal.name : [])));
  const found = await Promise.all([...names].map(async (name) => [name, await store.findByName(name)] as const));
  return new Map(found.flatMap(([name, id]) => (id === undefined ? [] : [[name, id] as const])));
}

async function sizesOfGroups(store: Store, asked: readonly Waiter[]): Promise<Map<string, number>> {
  const wanted = new Map<string, number>();
  for (const { goal } of asked) {
    if (goal.kind === "group") wanted.set(goal.group, Math.max(goal.count, wanted.get(goal.group) ?? 0));
  }
  const sizes = [...wanted].map(async ([group, most]) => [group, await store.countGroup(group, "all", most)] as const);
  return new Map(await Promise.all(sizes));
}

/** How many members have ended; without end for a flow that has. */
async function endedOfFlows(store: Store, asked: readonly Waiter[]): Promise<Map<string, number>> {
  const ids = new Set(asked.flatMap(({ goal }) => (goal.kind === "flow" ? goal.id : [])));
  if (ids.size === 0) return new Map();
  const flows = (await store.flows?.find([...ids])) ?? [];
  return new Map(flows.map(({ id, state, done }) => [id, state === "open" ? done : Infinity]));
}
