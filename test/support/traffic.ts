import { StoreUnavailableError } from "qluster";
import { expect } from "vitest";
import { until, type Workshop } from "./workshop.js";

/** An application that enqueues all the time, and remembers what it was told. */
export interface Traffic {
  /** Ids by label of the tasks that were confirmed. */
  readonly confirmed: ReadonlyMap<string, string>;
  /** Resolves when every call has settled. */
  readonly stop: () => Promise<void>;
  /** After {@link Traffic.stop}: what was confirmed has run, what was refused has not, no stored success ran again. */
  readonly check: () => Promise<void>;
}

/** One task every 20 ms, until it is stopped. Fails at the end when a call took longer than `limitMs`. */
export function startTraffic(shop: Workshop, prefix: string, limitMs: number): Traffic {
  const confirmed = new Map<string, string>();
  const refused = new Map<string, StoreUnavailableError>();
  const faults: unknown[] = [];
  const calls = new Set<Promise<void>>();
  let slowestMs = 0;
  let sent = 0;

  const send = async (label: string): Promise<void> => {
    const from = performance.now();
    try {
      confirmed.set(label, await shop.q.asyncTask("jobs.traced", label, 2));
    } catch (error) {
      if (error instanceof StoreUnavailableError) refused.set(label, error);
      else faults.push(error);
    }
    slowestMs = Math.max(slowestMs, performance.now() - from);
  };
  const timer = setInterval(() => {
    const call = send(`${prefix}${(sent += 1)}`).finally(() => calls.delete(call));
    calls.add(call);
  }, 20);

  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all(calls);
    expect(slowestMs, "the longest that a call took").toBeLessThan(limitMs);
    expect(faults).toEqual([]);
  };

  const check = async (): Promise<void> => {
    const records = await Promise.all([...confirmed.values()].map((id) => shop.q.fetch(id, { wait: "30s" })));
    expect(records.filter((task) => task?.success !== true)).toEqual([]);
    const lastStarts = new Map(startsIn(shop).map(({ id, at }) => [id, at]));
    const again = records.filter((task) => (lastStarts.get(task!.id) ?? Infinity) > task!.stoppedAt.getTime() + 50);
    expect(again).toEqual([]);
    const labels = new Set(startsIn(shop).map(({ label }) => label));
    const denied = [...refused].filter(([, { maybeWritten }]) => !maybeWritten).map(([label]) => label);
    expect(denied.filter((label) => labels.has(label))).toEqual([]);
  };
  return { confirmed, stop, check };
}

/** What tasks have told of their starts, in order. */
export function startsIn(shop: Workshop): { readonly label: string; readonly id: string; readonly at: number }[] {
  return shop
    .trace()
    .map((line) => line.split(" "))
    .filter(([kind]) => kind === "start")
    .map(([, label = "", id = "", , at]) => ({ label, id, at: Number(at) }));
}

/** Enqueues until the store accepts it, and waits until it has started: within 5 s of this call. */
export async function backAtWork(shop: Workshop, label: string): Promise<void> {
  const limit = performance.now() + 5_000;
  for (;;) {
    try {
      await shop.q.asyncTask("jobs.traced", label);
      break;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > limit) throw error;
    }
  }
  const isThere = (): boolean => startsIn(shop).some((start) => start.label === label);
  await until(isThere, "work to go on within 5 s of the network's return", Math.max(1, limit - performance.now()));
}
