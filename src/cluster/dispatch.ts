/**
 * How much work a worker is handed beyond its free places, and how much a cluster keeps in hand: enough that nobody waits
 * for the next round trip, too little to keep work from a cluster that could do it now, or from a task of higher priority.
 */
export const dispatchLimits = {
  /** Expected work in a worker beyond what runs, in milliseconds. */
  aheadMs: 20,
  /** Tasks in a worker beyond its places. */
  aheadTasks: 128,
  /** Tasks in one frame. */
  frame: 64,
  /** Expected work in the cluster's memory beyond what its workers hold, in milliseconds. */
  reserveMs: 30,
  /** Messages in one take. A store may hand out fewer. */
  take: 512,
  /** How long a message may wait in memory while every place is busy, in milliseconds; then it is given back. */
  patienceMs: 50,
} as const;

/** What handing out and storing cost each task, however quick it is, in milliseconds. */
const leastMs = 0.1;

/** What the rules need to know of a worker. */
export interface WorkerLoad {
  readonly places: number;
  /** Tasks handed to it and not reported. */
  readonly held: number;
  /** Expected time of those, in milliseconds. */
  readonly backlogMs: number;
  /** What runs in it takes longer than expected. */
  readonly stalled: boolean;
}

/** Whether one more task may go to a worker. @param expectedMs - `undefined` for a name not seen yet. */
export function mayTake(load: WorkerLoad, expectedMs: number | undefined): boolean {
  if (load.held < load.places) return true;
  if (load.stalled) return false;
  if (expectedMs === undefined || load.held - load.places >= dispatchLimits.aheadTasks) return false;
  return load.backlogMs + expectedMs <= dispatchLimits.aheadMs;
}

/** How many messages to take now. 0: none. */
export function wanted(state: {
  readonly freePlaces: number;
  readonly places: number;
  /** In memory and not handed out, or handed out beyond the places of their worker. */
  readonly inHand: number;
  /** Moving average over all tasks, in milliseconds; `undefined` before the first one. */
  readonly averageMs: number | undefined;
  /** What still fits into memory. */
  readonly limit: number;
}): number {
  const { freePlaces, places, inHand, averageMs, limit } = state;
  const ahead =
    averageMs === undefined ? 0 : Math.floor((places * dispatchLimits.reserveMs) / Math.max(averageMs, leastMs));
  const missing = Math.min(freePlaces + ahead - inHand, limit);
  if (missing <= 0) return 0;
  // Half a refill is not worth a round trip while everybody is busy.
  if (freePlaces === 0 && missing * 2 < Math.min(ahead, dispatchLimits.take)) return 0;
  return Math.min(missing, dispatchLimits.take);
}

/**
 * The order in which a cluster looks into its queues: weighted turns, so that a queue with work waits one turn at most.
 * Smooth weighted round-robin, as nginx does it. Changes `credit`.
 */
export function nextTurn(weights: ReadonlyMap<string, number>, credit: Map<string, number>): string[] {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  for (const [queue, weight] of weights) credit.set(queue, (credit.get(queue) ?? 0) + weight);
  const order = [...weights.keys()].sort((a, b) => (credit.get(b) ?? 0) - (credit.get(a) ?? 0));
  const first = order[0];
  if (first !== undefined) credit.set(first, (credit.get(first) ?? 0) - total);
  return order;
}
