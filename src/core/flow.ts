import type { MemberOutcome, StoredFlow } from "../contracts/flows.js";
import type { ErrorRecord } from "../contracts/store.js";
import { deriveId } from "./ids.js";

/** Hexadecimal digits of a place in an id. */
const placeDigits = 9;
/** A flow has many members, and a hash for each would cost more than the rest of the id. */
let last = { key: "", stem: "" };

/**
 * The id of a member: always the same for the same flow, place and run. Those of one flow ascend with their places, which an
 * index likes.
 */
export function memberId(flow: string, place: number, run: number): string {
  const key = `${flow}.${run}`;
  if (last.key !== key) last = { key, stem: deriveId(flow, `member.${run}`).slice(0, -placeDigits) };
  return last.stem + place.toString(16).padStart(placeDigits, "0");
}

/** The places of a step: from the first up to, and not with, the second. */
export function placesOf(steps: readonly number[], step: number): readonly [from: number, to: number] {
  let from = 0;
  for (let before = 0; before < step; before++) from += steps[before] ?? 0;
  return [from, from + (steps[step] ?? 0)];
}

/** What decides how a flow goes on. */
export type FlowProgress = Pick<StoredFlow, "steps" | "stops" | "step" | "done" | "failed" | "failedAt">;

/** Where a flow stands after some more outcomes. */
export interface FlowMove {
  readonly step: number;
  readonly done: number;
  readonly failed: number;
  readonly failedAt: number | null;
  /** `"step"`: the members of `step` are queued. `"end"`: there is nothing left to wait for. */
  readonly next: "wait" | "step" | "end";
}

/**
 * The rules of all flows. Pure: a store calls it with what it has read, and saves what comes out in the same write.
 *
 * @param outcomes - New ones only: of places that had none.
 */
export function advanceFlow(flow: FlowProgress, outcomes: readonly Pick<MemberOutcome, "place" | "state">[]): FlowMove {
  const failures = outcomes.filter(({ state }) => state !== "succeeded").map(({ place }) => place);
  const done = flow.done + outcomes.length;
  const failed = flow.failed + failures.length;
  const first = failures.reduce((least, place) => Math.min(least, place), flow.failedAt ?? Infinity);
  const counts = { step: flow.step, done, failed, failedAt: first === Infinity ? null : first };
  // An iterable that is still being submitted has no steps yet.
  if (flow.steps.length === 0 || done < placesOf(flow.steps, flow.step)[1]) return { ...counts, next: "wait" };
  const isLast = flow.step + 1 >= flow.steps.length || (flow.stops && failed > 0);
  return isLast ? { ...counts, next: "end" } : { ...counts, step: flow.step + 1, next: "step" };
}

/** Why a flow did not succeed, or `null` when it did. @param first - The outcome at `failedAt`. */
export function faultOf(
  flow: Pick<StoredFlow, "kind" | "steps" | "failed" | "failedAt">,
  first: MemberOutcome | undefined,
): ErrorRecord | null {
  if (flow.failed === 0) return null;
  const size = flow.steps.reduce((sum, width) => sum + width, 0);
  const because = first?.error ?? { name: "Error", message: `It ended as ${first?.state ?? "failed"}.`, stack: null };
  const place = flow.failedAt ?? 0;
  const what = {
    chain: `Link ${place + 1} of ${size} failed`,
    iter: `${flow.failed} of ${size} elements failed, the first at place ${place}`,
    batch: `${flow.failed} of ${size} tasks of the batch failed; the first said`,
  }[flow.kind];
  const { name, message, stack } = because;
  return { name: names[flow.kind], message: `${what}: ${name}: ${message}`, stack };
}

const names = { chain: "ChainFailedError", iter: "IterFailedError", batch: "BatchFailedError" } as const;

/** Why a flow ended that took longer than it had. */
export function lateness({ kind, done, steps }: Pick<StoredFlow, "kind" | "done" | "steps">): ErrorRecord {
  const size = steps.length === 0 ? "an unknown number" : steps.reduce((sum, width) => sum + width, 0);
  const what = { chain: "chain", iter: "iterable", batch: "batch" }[kind];
  const message = `The ${what} expired: ${done} of ${size} members had ended. Give it more time with \`expires\`.`;
  return { name: "ExpiredError", message, stack: null };
}
