import type { FinalState, TaskKind } from "../../contracts/store.js";

/** One final outcome, as the rollup counts it. */
export interface Ended {
  readonly queue: string;
  readonly kind: TaskKind;
  readonly state: FinalState;
  /** How long its last attempt ran, in milliseconds; 0 when it never started. */
  readonly ranMs: number;
}

export interface QueueTotals {
  readonly queue: string;
  succeeded: number;
  failed: number;
  busyMs: number;
}

const minuteMs = 60_000;

export function minuteOf(now: number): number {
  return Math.floor(now / minuteMs) * minuteMs;
}

/** The outcomes by queue. Hooks are not counted. */
export function totalsByQueue(ended: readonly Ended[]): QueueTotals[] {
  const totals = new Map<string, QueueTotals>();
  for (const { queue, kind, state, ranMs } of ended) {
    if (kind !== "task") continue;
    let total = totals.get(queue);
    if (total === undefined) totals.set(queue, (total = { queue, succeeded: 0, failed: 0, busyMs: 0 }));
    if (state === "succeeded") total.succeeded += 1;
    else total.failed += 1;
    total.busyMs += Math.max(0, ranMs);
  }
  return [...totals.values()];
}
